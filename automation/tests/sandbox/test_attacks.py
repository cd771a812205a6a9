"""Code that wants out, or wants everything: it gets an error, and the next call gets its answer."""

import time

import pytest

OUTPUT = "BRAINOPS_LIMIT_CODE_OUTPUT_BYTES"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("().__class__.__bases__[0].__subclasses__()", "AttributeError"),
        ("''.__class__.__mro__", "AttributeError"),
        ("(lambda: 0).__globals__", "AttributeError"),
        ("(lambda: 0).__code__", "AttributeError"),
        ("'{0.__class__}'.format(1)", "AttributeError"),
        ("getattr(1, '__cl' + 'ass__')", "AttributeError"),
        ("try:\n    1 / 0\nexcept Exception as e:\n    e.__traceback__.tb_frame", "AttributeError"),
        ("__builtins__", "NameError"),
        ("__import__('os')", "NameError"),
        ("globals()", "NameError"),
        ("vars()", "NameError"),
        ("breakpoint()", "NameError"),
        ("input()", "NameError"),
        ("compile('1', 'a', 'eval')", "NameError"),
        ("eval('__import__')", "NameError"),
        ("exec('import socket')", "ModuleNotFoundError"),
        ("import subprocess", "ModuleNotFoundError"),
        ("import socket", "ModuleNotFoundError"),
        ("import ctypes", "ModuleNotFoundError"),
        ("import importlib", "ModuleNotFoundError"),
        ("import django", "ModuleNotFoundError"),
        ("import automation", "ModuleNotFoundError"),
        ("import os\nos.system('id')", "AttributeError"),
        ("import os\nos.fork()", "AttributeError"),
        ("import os\nos.kill(1, 9)", "AttributeError"),
        ("import os\nos.environ['PATH']", "RuntimeError"),
        ("import os\nos.getenv('DATABASE_URL')", "RuntimeError"),
        ("import os\nos.listdir('/')", "PermissionError"),
        ("import sys\nsys.modules", "AttributeError"),
        ("open('/etc/passwd').read()", "PermissionError"),
        ("open('/proc/self/environ').read()", "PermissionError"),
        ("open('/tmp/code-step-was-here', 'w').write('x')", "PermissionError"),
        ("from pathlib import Path\nPath('/etc/passwd').read_text()", "PermissionError"),
        ("def f(n):\n    return f(n + 1)\nf(0)", "RecursionError"),
        ("'a' * 10 ** 10", "MemoryError"),
        ("9 ** 9 ** 9", "MemoryError"),
        ("'%10000000000d' % 1", "MemoryError"),
        ("f'{1:>10000000000}'", "MemoryError"),
        ("x = []\nwhile True:\n    x.append('a' * 1_000_000)", "MemoryError"),
        ("x = 'a'\nwhile True:\n    x = x + x", "MemoryError"),
        ("while True:\n    pass", "TimeoutError"),
        (
            "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
            "TimeoutError",
        ),
        ("import time\ntime.sleep(3600)", "TimeoutError"),
        ("sum(range(10 ** 12))", "TimeoutError"),
        ("while True:\n    print('x' * 1000)", "TimeoutError"),
        ("(" * 10_000, "SyntaxError"),
        ("-" * 100_000 + "1", "SyntaxError"),
    ],
)
def test_an_attack_ends_as_an_error_of_its_own_call(run, code, kind):
    error = run(code).error

    assert error["type"] == kind
    assert run("1 + 1").output == 2


def test_a_slow_regular_expression_is_none(run):
    started = time.monotonic()

    run("import re\nre.match('^(a+)+$', 'a' * 40 + 'b')")

    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("code", "size"),
    [
        ("'x' * 70_000", "70,002"),
        ("x = [1]\nfor _ in range(40):\n    x = [x, x]\nx", "more than 131,072"),  # 2**40 ones in a kilobyte
        ("s = 'a' * 1_000_000\n[s] * 5_000", "more than 131,072"),
    ],
)
def test_a_huge_output_is_refused_with_its_size(run, code, size):
    said = f"The output has {size} bytes as JSON; at most 65,536 are kept ({OUTPUT}). Give back only what later steps need."

    assert run(code).error == {"type": "code_output_limit", "message": said}


def test_a_large_input_arrives_and_leaves_again(run):
    rows = [{"id": n, "text": "é" * 100} for n in range(5000)]

    assert run("inputs['rows']", {"rows": rows}, output_bytes=4 << 20).output == rows
