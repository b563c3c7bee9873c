"""Package managers: apk, apt-get and dpkg, over the repositories of the toy internet."""
