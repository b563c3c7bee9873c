"""The file systems that are measured beside each other, and the work that all of them do."""
