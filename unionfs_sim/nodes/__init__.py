"""What a tree of files consists of: contents, inodes, who calls, and the one way to change them."""
