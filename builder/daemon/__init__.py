"""A build daemon: enough of the Docker Engine API that docker's own command line works against it.

From below: ``http`` (connections, requests, answers); ``containers``, ``images``, ``events`` (what there is);
``service`` (what all requests share); ``api`` (one module for each object of the API); ``daemon`` (the door).
"""
