"""Dockerfile reference, "RUN --mount"."""

from __future__ import annotations

import pytest

from builder.dockerfile.syntax.mount import MountError, MountType, RunMount, Sharing, read_mount


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("target=/x", RunMount(target="/x")),
        (
            "type=bind,from=a,source=/s,target=/x,rw",
            RunMount(from_="a", source="/s", target="/x", read_only=False),
        ),
        ("type=bind,dst=/x,src=s,ro=false", RunMount(source="s", target="/x", read_only=False)),
        (
            "type=cache,target=/x,id=c,sharing=locked,mode=0700,uid=1,gid=2",
            RunMount(
                type=MountType.CACHE,
                target="/x",
                id="c",
                read_only=False,
                sharing=Sharing.LOCKED,
                mode=0o700,
                uid=1,
                gid=2,
            ),
        ),
        (
            "type=tmpfs,target=/x,size=1.5g",
            RunMount(type=MountType.TMPFS, target="/x", read_only=False, size_bytes=1610612736),
        ),
        (
            "type=secret,id=t,env=TOKEN,required",
            RunMount(type=MountType.SECRET, id="t", env="TOKEN", required=True),
        ),
        ("type=secret,target=/run/token", RunMount(type=MountType.SECRET, id="token", target="/run/token")),
        ("type=secret,source=t", RunMount(type=MountType.SECRET, id="t", source="t")),
        ("type=bind", RunMount()),
        ("type=ssh", RunMount(type=MountType.SSH)),
        ('target=/x,"source=a,b"', RunMount(target="/x", source="a,b")),
    ],
)
def test_a_mount_is_read(written: str, expected: RunMount) -> None:
    assert read_mount(written) == expected


@pytest.mark.parametrize(
    ("written", "fix"),
    [
        ("type=bnd,target=/x", "did you mean 'bind'?"),
        ("tpye=bind,target=/x", "did you mean 'type'?"),
        ("type=cache,target=/x,sharing=shred", "did you mean 'shared'?"),
        ("target", "write target="),
        ("target=/x,ro=maybe", "write ro=true"),
        ("type=cache,target=/x,mode=999", "write mode=0755"),
        ("type=cache,target=/x,uid=-1", "write uid=1000"),
        ("type=tmpfs,target=/x,size=big", "write size=64m"),
        ("target=/x,uid=1", "it is for cache, secret, ssh"),
        ("type=bind,target=/x,sharing=locked", "it is for cache"),
        ("type=secret", "write type=secret,id="),
        ("type=secret,id=a,from=b", "remove from="),
        ("from=$A,target=/x", "FROM $A AS name"),
        ("type=cache,target=//", "write target="),
        ("type=cache", "write target="),
        ("type=secret,env=A", "write type=secret,id="),
        ('"', "put quotes around"),
        ("", "write type=bind"),
    ],
)
def test_a_mount_that_makes_no_sense_is_refused_with_a_remedy(written: str, fix: str) -> None:
    with pytest.raises(MountError) as caught:
        read_mount(written)

    assert fix in (caught.value.fix or "")
