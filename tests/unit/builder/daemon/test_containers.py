"""``/containers`` and ``/exec`` by requests, on simulated commands: their life, streams and ports."""

import http.client
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from daemon_served import Answer, Client, frames

SERVER = "FROM alpine\nRUN apk add --no-cache nginx\n"


@pytest.fixture(autouse=True)
def alpine(daemon: Client) -> None:
    daemon.pulled()


def ended(daemon: Client, container: str) -> Any:
    return daemon.ask("POST", f"/containers/{container}/wait").json()


def state(daemon: Client, container: str) -> Any:
    return daemon.ask("GET", f"/containers/{container}/json").json()["State"]


def started(daemon: Client, *command: str, **body: Any) -> str:
    container = daemon.container(*command, **body)
    assert daemon.ask("POST", f"/containers/{container}/start").status == 204
    return container


def received(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def test_a_container_goes_from_created_to_exited_with_its_status(daemon: Client) -> None:
    container = daemon.container("sh", "-c", "exit 7")
    assert state(daemon, container)["Status"] == "created"

    assert daemon.ask("POST", f"/containers/{container}/start").status == 204

    assert ended(daemon, container) == {"StatusCode": 7, "Error": None}
    assert state(daemon, container)["Status"] == "exited"
    assert state(daemon, container)["ExitCode"] == 7


def test_attach_before_start_sees_everything_in_frames(daemon: Client) -> None:
    container = daemon.container("sh", "-c", "echo out; echo err >&2; echo more")

    with daemon.hijacked(f"/containers/{container}/attach?stream=1&stdout=1&stderr=1") as connection:
        daemon.ask("POST", f"/containers/{container}/start")
        found = frames(received(connection))

    assert found == [(1, b"out\n"), (2, b"err\n"), (1, b"more\n")]


def test_input_reaches_the_command_and_its_end_is_a_half_close(daemon: Client) -> None:
    container = daemon.container("cat", OpenStdin=True, StdinOnce=True, AttachStdin=True)

    with daemon.hijacked(f"/containers/{container}/attach?stream=1&stdin=1&stdout=1") as connection:
        connection.sendall(b"early ")  # before it runs
        daemon.ask("POST", f"/containers/{container}/start")
        connection.sendall(b"late")
        connection.shutdown(socket.SHUT_WR)
        found = frames(received(connection))

    assert b"".join(data for _, data in found) == b"early late"
    assert ended(daemon, container)["StatusCode"] == 0


def test_wait_sends_its_head_at_once_and_its_body_at_the_end(daemon: Client) -> None:
    container = daemon.container("cat", OpenStdin=True)
    with daemon.connect() as connection:
        connection.sendall(
            f"POST /containers/{container}/wait?condition=next-exit HTTP/1.1\r\nHost: d\r\n\r\n".encode()
        )
        head = connection.recv(1 << 16)
        assert head.startswith(b"HTTP/1.1 200")
        assert b"StatusCode" not in head

        daemon.ask("POST", f"/containers/{container}/start")
        daemon.ask("POST", f"/containers/{container}/kill")

        assert b'{"StatusCode": 137, "Error": null}' in connection.recv(1 << 16)


def test_logs_are_kept_framed_and_cut_to_their_tail(daemon: Client) -> None:
    container = started(daemon, "sh", "-c", "for i in 1 2 3; do echo $i; done; echo e >&2; printf rest")
    ended(daemon, container)

    everything = daemon.ask("GET", f"/containers/{container}/logs?stdout=1&stderr=1")
    tail = daemon.ask("GET", f"/containers/{container}/logs?stdout=1&tail=2&timestamps=1")

    assert frames(everything.body) == [(1, b"1\n"), (1, b"2\n"), (1, b"3\n"), (2, b"e\n"), (1, b"rest")]
    assert frames(tail.body) == [(1, b"2023-11-14T22:13:20.000000000Z rest")]


def test_logs_that_are_followed_end_with_the_container(daemon: Client) -> None:
    container = started(daemon, "sh", "-c", "read a; echo got $a", OpenStdin=True, StdinOnce=True)
    found: list[Answer] = []
    follow = f"/containers/{container}/logs?stdout=1&follow=1"
    following = threading.Thread(target=lambda: found.append(daemon.ask("GET", follow)))
    following.start()

    with daemon.hijacked(f"/containers/{container}/attach?stream=1&stdin=1") as connection:
        connection.sendall(b"it\n")
        following.join(30)

    assert frames(found[0].body) == [(1, b"got it\n")]


def test_sleep_takes_its_time_and_stop_cuts_it_short(daemon: Client) -> None:
    container = started(daemon, "sleep", "3600")
    assert state(daemon, container)["Status"] == "running"

    assert daemon.ask("POST", f"/containers/{container}/stop?t=5").status == 204

    assert state(daemon, container)["ExitCode"] == 128 + 15
    assert daemon.ask("POST", f"/containers/{container}/stop").status == 304


def test_what_does_not_heed_its_signal_is_killed(daemon: Client) -> None:
    script = "trap '' TERM; echo ready; while true; do sleep 3600; done"
    container = started(daemon, "sh", "-c", script)

    daemon.ask("POST", f"/containers/{container}/stop?t=0")

    assert state(daemon, container)["ExitCode"] == 137


def test_a_command_that_is_not_there_fails_at_its_start_by_name(daemon: Client) -> None:
    container = daemon.container("nosuch")

    answer = daemon.ask("POST", f"/containers/{container}/start")

    assert answer.status == 400
    assert 'exec: "nosuch": executable file not found in $PATH' in answer.json()["message"]
    assert state(daemon, container)["ExitCode"] == 127
    assert daemon.ask("DELETE", f"/containers/{container}").status == 204


def test_a_container_that_removes_itself_is_gone_when_waiting_for_that_ends(daemon: Client) -> None:
    container = daemon.container("true", HostConfig={"AutoRemove": True})
    waited: list[Answer] = []
    wait = f"/containers/{container}/wait?condition=removed"
    waiting = threading.Thread(target=lambda: waited.append(daemon.ask("POST", wait)))
    waiting.start()

    daemon.ask("POST", f"/containers/{container}/start")
    waiting.join(30)

    assert waited[0].json()["StatusCode"] == 0
    assert daemon.ask("GET", f"/containers/{container}/json").status == 404


def test_containers_stopped_while_they_start_end_and_leave_nothing(daemon: Client) -> None:
    for _ in range(10):
        container = daemon.container("sleep", "3600", HostConfig={"AutoRemove": True})
        starting = threading.Thread(target=lambda c=container: daemon.ask("POST", f"/containers/{c}/start"))
        starting.start()
        daemon.ask("DELETE", f"/containers/{container}?force=1")
        starting.join(30)

    assert not [
        each for each in daemon.ask("GET", "/containers/json").json() if each["Command"] == "sleep 3600"
    ]


def test_a_published_port_serves_the_simulated_nginx_on_loopback_until_it_is_stopped(daemon: Client) -> None:
    daemon.build({"Dockerfile": SERVER}, "t=server")
    body = {
        "Image": "server",
        "Cmd": ["nginx", "-g", "daemon off;"],
        "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": ""}]}},
    }
    container = daemon.ask("POST", "/containers/create", body).json()["Id"]
    daemon.ask("POST", f"/containers/{container}/start")
    ports = daemon.ask("GET", f"/containers/{container}/json").json()["NetworkSettings"]["Ports"]
    (place,) = ports["80/tcp"]
    assert place["HostIp"] == "127.0.0.1"

    asking = http.client.HTTPConnection("127.0.0.1", int(place["HostPort"]), timeout=30)
    asking.request("GET", "/nowhere")
    answer = asking.getresponse()
    assert (answer.status, answer.headers["Server"].partition("/")[0]) == (404, "nginx")
    asking.close()

    daemon.ask("POST", f"/containers/{container}/stop")
    assert state(daemon, container)["ExitCode"] == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(place["HostPort"])), timeout=5)


def test_a_port_that_is_taken_refuses_the_start(daemon: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        binding = [{"HostPort": str(taken.getsockname()[1])}]
        container = daemon.container("sleep", "60", HostConfig={"PortBindings": {"80/tcp": binding}})

        answer = daemon.ask("POST", f"/containers/{container}/start")

    assert answer.status == 500
    assert "Address already in use" in answer.json()["message"]
    assert state(daemon, container)["Running"] is False


def test_exec_runs_beside_the_command_in_the_same_root(daemon: Client) -> None:
    container = started(daemon, "sh", "-c", "echo 1 > /made; sleep 3600")
    body = {"Cmd": ["sh", "-c", "cat /made; echo e >&2; exit 4"], "AttachStdout": True, "AttachStderr": True}
    made = daemon.ask("POST", f"/containers/{container}/exec", body).json()["Id"]

    with daemon.hijacked(f"/exec/{made}/start", json.dumps({"Detach": False}).encode()) as connection:
        found = frames(received(connection))

    assert found == [(1, b"1\n"), (2, b"e\n")]
    assert daemon.ask("GET", f"/exec/{made}/json").json()["ExitCode"] == 4
    daemon.ask("POST", f"/containers/{container}/kill")


def test_exec_where_nothing_runs_and_a_second_start_are_conflicts(daemon: Client) -> None:
    container = daemon.container("true")
    assert daemon.ask("POST", f"/containers/{container}/exec", {"Cmd": ["true"]}).status == 409

    running = started(daemon, "sleep", "3600")
    made = daemon.ask("POST", f"/containers/{running}/exec", {"Cmd": ["true"]}).json()["Id"]
    assert daemon.ask("POST", f"/exec/{made}/start", {"Detach": True}).status == 200
    assert daemon.ask("POST", f"/exec/{made}/start", {"Detach": True}).status == 409
    daemon.ask("DELETE", f"/containers/{running}?force=1")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"HostConfig": {"Binds": ["/:/host"]}}, "-v (Binds)"),
        ({"HostConfig": {"Mounts": [{"Type": "bind"}]}}, "--mount (Mounts)"),
        ({"HostConfig": {"Privileged": True}}, "--privileged (Privileged)"),
        ({"HostConfig": {"Memory": 1 << 20}}, "--memory (Memory)"),
        ({"HostConfig": {"NanoCpus": 1}}, "--cpus (NanoCpus)"),
        ({"HostConfig": {"CapAdd": ["ALL"]}}, "--cap-add (CapAdd)"),
        ({"HostConfig": {"SecurityOpt": ["seccomp=unconfined"]}}, "--security-opt seccomp=unconfined"),
        ({"HostConfig": {"RestartPolicy": {"Name": "always"}}}, "--restart always"),
        ({"HostConfig": {"NetworkMode": "host"}}, "--network host"),
        ({"HostConfig": {"PidMode": "host"}}, "--pid (PidMode)"),
        ({"HostConfig": {"Surprise": 1}}, "HostConfig.Surprise is not known here"),
        ({"HostConfig": {"PortBindings": {"53/udp": [{}]}}}, "only TCP"),
        ({"HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "8000-8010"}]}}}, "ranges"),
        ({"HostConfig": {"PortBindings": {"80/tcp": 3}}}, "PortBindings must hold lists of objects"),
        ({"HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "example.com"}]}}}, "not an IPv4 address"),
        ({"HostConfig": {"PortBindings": {"x": []}}}, "not a port: 'x'"),
        ({"ExposedPorts": {"²/tcp": {}}}, "not a port"),
        ({"StopTimeout": 10**30}, "StopTimeout"),
        ({"StopSignal": "9" * 5000}, "Invalid signal"),
        ({"Tty": True}, "--tty (-t)"),
        ({"Hostname": "me"}, "--hostname (Hostname)"),
        ({"Volumes": {"/data": {}}}, "-v (Volumes)"),
        ({"Healthcheck": {"Test": ["CMD", "true"]}}, "--health-cmd"),
        ({"StopSignal": "SIGNOTHING"}, "Invalid signal"),
        ({"Cmd": "x", "Env": "y", "Labels": {"a": 1}}, "Labels must be an object of strings"),
        ({"Cmd": [1]}, "Cmd must be a list of strings"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_name(daemon: Client, body: dict[str, Any], said: str) -> None:
    answer = daemon.ask("POST", "/containers/create", {"Image": "alpine", **body})

    assert answer.status == 400
    assert said in answer.json()["message"]


def test_an_image_that_is_not_here_is_a_404_so_that_the_client_pulls_it(daemon: Client) -> None:
    answer = daemon.ask("POST", "/containers/create", {"Image": "nowhere:1"})

    assert answer.status == 404
    assert "No such image: nowhere:1" in answer.json()["message"]


def test_a_name_is_taken_once_and_found_by_name_id_and_beginning_of_id(daemon: Client) -> None:
    body = {"Image": "alpine", "Cmd": ["true"]}
    made = daemon.ask("POST", "/containers/create?name=one", body).json()["Id"]

    assert daemon.ask("POST", "/containers/create?name=one", body).status == 409
    assert daemon.ask("POST", "/containers/create?name=-bad", body).status == 400
    for written in ("one", made, made[:12]):
        assert daemon.ask("GET", f"/containers/{written}/json").json()["Id"] == made
    assert daemon.ask("POST", "/containers/one/rename?name=two").status == 204
    assert daemon.ask("DELETE", "/containers/two").status == 204


def test_an_image_that_a_container_needs_is_only_removed_by_force(daemon: Client) -> None:
    daemon.build({"Dockerfile": "FROM alpine\nRUN echo needed > /x\n"}, "t=needed")
    container = daemon.ask("POST", "/containers/create", {"Image": "needed", "Cmd": ["true"]}).json()["Id"]

    refused = daemon.ask("DELETE", "/images/needed")

    assert refused.status == 409
    assert container[:12] in refused.json()["message"]
    assert daemon.ask("DELETE", "/images/needed?force=1").status == 200
    daemon.ask("DELETE", f"/containers/{container}")


def test_a_command_that_prints_without_end_is_held_back_by_a_client_that_does_not_read(
    daemon: Client,
) -> None:
    container = daemon.container("yes")
    with daemon.hijacked(f"/containers/{container}/attach?stream=1&stdout=1"):
        daemon.ask("POST", f"/containers/{container}/start")
        time.sleep(0.3)
        assert daemon.ask("GET", "/_ping").status == 200

    assert daemon.ask("DELETE", f"/containers/{container}?force=1").status == 204


def test_files_are_copied_out_as_a_tar_with_what_they_are(daemon: Client) -> None:
    import base64
    import io
    import tarfile

    container = started(
        daemon, "sh", "-c", "mkdir -p /d/e; echo hi > /d/f; ln -s f /d/l; ln /d/f /d/g; sleep 3600"
    )
    time.sleep(0.1)

    answer = daemon.ask("GET", f"/containers/{container}/archive?path=/d")

    told = json.loads(base64.b64decode(answer.headers["X-Docker-Container-Path-Stat"]))
    assert (told["name"], told["mode"] >> 31) == ("d", 1)
    with tarfile.open(fileobj=io.BytesIO(answer.body)) as tar:
        kinds = {member.name: member.type for member in tar}
    assert kinds == {
        "d": tarfile.DIRTYPE,
        "d/e": tarfile.DIRTYPE,
        "d/f": tarfile.REGTYPE,
        "d/g": tarfile.LNKTYPE,
        "d/l": tarfile.SYMTYPE,
    }
    assert daemon.ask("GET", f"/containers/{container}/archive?path=/nowhere").status == 404
    assert daemon.ask("GET", f"/containers/{container}/archive?path=../../etc/passwd").status == 200
    daemon.ask("DELETE", f"/containers/{container}?force=1")


def test_events_tell_a_containers_life_and_are_filtered(daemon: Client) -> None:
    container = daemon.container("true")
    daemon.ask("POST", f"/containers/{container}/start")
    ended(daemon, container)
    daemon.ask("DELETE", f"/containers/{container}")

    answer = daemon.ask(
        "GET", f"/events?since=1&until=1700000000&filters=%7B%22container%22:[%22{container}%22]%7D"
    )

    assert [each["Action"] for each in answer.lines()] == ["create", "start", "die", "destroy"]


def test_thirty_two_clients_that_run_something_at_once_each_get_their_own(daemon: Client) -> None:
    def run(number: int) -> tuple[list[tuple[int, bytes]], int]:
        script = f"echo {number} > /n; sleep 0.01; cat /n; exit {number}"
        container = daemon.container("sh", "-c", script, HostConfig={"AutoRemove": True})
        with daemon.hijacked(f"/containers/{container}/attach?stream=1&stdout=1&stderr=1") as connection:
            waited: list[Any] = []
            wait = f"/containers/{container}/wait?condition=removed"
            waiting = threading.Thread(target=lambda: waited.append(daemon.ask("POST", wait).json()))
            waiting.start()
            daemon.ask("POST", f"/containers/{container}/start")
            found = frames(received(connection))
        waiting.join(60)
        return found, waited[0]["StatusCode"]

    with ThreadPoolExecutor(32) as pool:
        ended = list(pool.map(run, range(32)))

    assert ended == [([(1, b"%d\n" % number)], number) for number in range(32)]


def test_commands_in_one_root_take_turns(daemon: Client) -> None:
    busy = "while true; do echo x > /busy; rm /busy; done"
    container = started(daemon, "sh", "-c", busy)

    def write(number: int) -> int:
        script = f"mkdir -p /made && echo {number} > /made/{number} && cat /made/{number}"
        body = {"Cmd": ["sh", "-c", script], "AttachStdout": True}
        made = daemon.ask("POST", f"/containers/{container}/exec", body).json()["Id"]
        with daemon.hijacked(f"/exec/{made}/start", b'{"Detach": false}') as connection:
            return int(b"".join(data for _, data in frames(received(connection))))

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(write, range(8))) == list(range(8))
    daemon.ask("DELETE", f"/containers/{container}?force=1")
