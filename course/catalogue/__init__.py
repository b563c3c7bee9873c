"""Every sentence that a learner reads, by id, in English and Chinese."""
