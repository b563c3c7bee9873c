"""The one loop that turns a plan into an image; knows only the protocols."""
