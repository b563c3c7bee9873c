"""An image as files: an OCI image layout.

Replace the body of ``layout``. Try it:  layerlab learn check 3.1
"""


def layout(tars, command):
    """Path -> bytes: ``oci-layout``, ``index.json`` and the blobs.

    ``tars``: the uncompressed layers, base first, as bytes. ``command``: the words of the config's ``Cmd``.
    """
    return {}
