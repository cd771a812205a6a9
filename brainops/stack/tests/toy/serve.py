"""The toy's web process: the three addresses the launcher asks for. A run is a row."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2

API = "/api/v1/automation"


class Toy(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200 if self.path == f"{API}/health" or self.is_known() else 401, {"status": "ok"})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if not self.is_known():
            self.answer(401, {})
            return
        connection = psycopg2.connect(os.environ["DATABASE_URL"])
        connection.autocommit = True
        connection.cursor().execute("INSERT INTO runs VALUES ('r')")
        connection.close()
        self.answer(200, {"id": "r", "status": os.environ.get("TOY_STATUS", "succeeded"), "error": "no reason"})

    def is_known(self):
        return self.headers["Authorization"] == "Bearer bo_key"

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Toy).serve_forever()
