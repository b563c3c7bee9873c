"""Runs submissions in another process and scores them."""
