"""Which of Tekton's fields a cluster allows: its setting ``enable-api-fields``."""

from __future__ import annotations

import enum

from builder.security.tekton.finding import Finding, Path


class Features(enum.IntEnum):
    """``enable-api-fields`` of a cluster; BETA is what Pipelines 1.15 is installed with.

    The flags of single alpha features (cel in when, enum of params, outputs of steps) count as on with ALPHA.
    """

    STABLE = 0
    BETA = 1
    ALPHA = 2

    @classmethod
    def named(cls, name: str) -> Features:
        """The setting that is spelt ``name``: stable, beta or alpha."""
        return cls[name.upper()]

    def lacking(self, needed: Features, what: str, path: Path) -> list[Finding]:
        """The finding that ``what`` needs a higher setting than this; none where it is allowed."""
        if self >= needed:
            return []
        return [
            Finding(
                "feature-gate",
                path,
                f"{what} needs enable-api-fields: {needed.name.lower()}",
                f"if your cluster has it: --api-fields {needed.name.lower()}",
            )
        ]
