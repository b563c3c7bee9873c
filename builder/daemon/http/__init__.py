"""HTTP/1.1 on a unix socket: connections, one request and its answer, and which function a path means."""
