"""Following and cutting the processes' logs."""

from brainops.stack.logs import Follower, cut_long_logs


def test_new_lines_are_shown_with_their_process(place):
    place.log("web").write_text("before\n", encoding="utf-8")
    shown = []
    follower = Follower(place.logs, shown.append)

    with (
        open(place.log("web"), "a", encoding="utf-8") as web,
        open(place.log("worker"), "w", encoding="utf-8") as worker,
    ):
        web.write("one\ntwo\nhalf a li")
        worker.write("ready\n")
    follower.show_new()

    assert shown == ["web       | one", "web       | two", "worker    | ready"]


def test_what_a_detached_supervisor_shows_is_not_shown_to_itself_again(place):
    with open(place.log("supervisor"), "a", encoding="utf-8", buffering=1) as own:
        follower = Follower(place.logs, lambda line: own.write(f"{line}\n"))
        place.log("web").write_text("one\n", encoding="utf-8")
        for _ in range(5):
            follower.show_new()

    assert place.log("supervisor").read_text(encoding="utf-8") == "web       | one\n"


def test_half_a_line_is_shown_once_it_is_whole(place):
    shown = []
    follower = Follower(place.logs, shown.append)
    place.log("web").write_text("half", encoding="utf-8")
    follower.show_new()
    assert shown == []

    place.log("web").write_text("half and half\n", encoding="utf-8")
    follower.show_new()

    assert shown == ["web       | half and half"]


def test_a_log_that_is_too_long_is_kept_beside_and_goes_on_empty(place):
    with open(place.log("web"), "ab", buffering=0) as writer:
        writer.write(b"x" * 100)

        cut_long_logs(place.logs, limit_bytes=99)
        writer.write(b"after\n")

    assert (place.logs / "web.log.1").read_bytes() == b"x" * 100
    assert place.log("web").read_bytes() == b"after\n"


def test_a_log_of_bearable_length_is_left_alone(place):
    place.log("web").write_bytes(b"x" * 100)

    cut_long_logs(place.logs, limit_bytes=100)

    assert [path.name for path in place.logs.iterdir()] == ["web.log"]
