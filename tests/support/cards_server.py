#!/usr/bin/env python3
"""Stands in for rackproof-cards where all ranks are on one machine: one table of cards, and a socket for each rank.

    cards_server.py FOLDER RANKS    listens on FOLDER/cards.0 … and writes "ready"; ends with its standard input
"""

import contextlib
import os
import pathlib
import socketserver
import sys
import threading


class Table:
    """Cards by rank; each is put once."""

    def __init__(self):
        self.cards = {}
        self.changed = threading.Condition()

    def put(self, rank, card):
        with self.changed:
            self.cards[rank] = card
            self.changed.notify_all()

    def get(self, rank, seconds):
        with self.changed:
            self.changed.wait_for(lambda: rank in self.cards, seconds)
            return self.cards.get(rank)


class Conversation(socketserver.StreamRequestHandler):
    def handle(self):
        # A rank that is killed hangs up in the middle of a word.
        with contextlib.suppress(ConnectionError):
            self.converse()

    def converse(self):
        for line in self.rfile:
            words = line.decode().split()
            if words[0] == "put":
                self.server.table.put(self.server.rank, words[1])
                answer = "ok"
            else:
                card = self.server.table.get(int(words[1]), int(words[2]) / 1000)
                answer = f"card {card}" if card else "none it did not put its card in time"
            self.wfile.write(f"{answer}\n".encode())


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path, rank, table):
        super().__init__(str(path), Conversation)
        os.chmod(path, 0o600)
        self.rank, self.table = rank, table
        threading.Thread(target=self.serve_forever, daemon=True).start()


def serve(folder, ranks):
    """A socket for each rank, by rank; they are served by threads of this process until it ends."""
    table = Table()
    paths = [pathlib.Path(folder) / f"cards.{rank}" for rank in range(ranks)]
    for rank, path in enumerate(paths):
        Server(path, rank, table)
    return paths


def main():
    serve(sys.argv[1], int(sys.argv[2]))
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
