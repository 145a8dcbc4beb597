#!/usr/bin/env python3
"""One rank of a step that spans nodes, in an agent's place: starts rackproof-cards and does what it is told.

    cards_rank.py RACKPROOF_CARDS FOLDER    what it does stands in FOLDER/plan.json: {rank: [[verb, …], …]};
                                            what it saw goes to FOLDER/RANK.json

    ["put", HEX]  ["get", RANK, MILLISECONDS]  ["say", LINE]  ["tell", NAME]  ["await", NAME]  (names are files in FOLDER)
    ["kill", "sibling"]  ["die"]
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

# Whatever holds the output of a rank, after it too, keeps mpirun from ending.
SILENT = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


class Rank:
    def __init__(self, program, results):
        self.results = pathlib.Path(results)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rackproof-cards-"))
        self.path = self.folder / "cards"
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.cards = subprocess.Popen([program, str(self.path)], text=True, **pipes)
        words = self.cards.stdout.readline().split()  # rank R of N
        self.number, self.ranks = int(words[1]), int(words[3])
        self.sibling = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL, **SILENT)
        self.seen = []

    def say(self, line):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.path))
            connection.sendall(line.encode() + b"\n")
            return connection.makefile().readline().rstrip("\n")

    def do(self, verb, *words):
        began = time.monotonic()
        answer = None
        if verb == "put":
            answer = self.say(f"put {words[0]}")
        elif verb == "say":
            answer = self.say(words[0])
        elif verb == "get":
            answer = self.say(f"get {words[0]} {words[1]}")
        elif verb == "tell":
            (self.results / words[0]).touch()
        elif verb == "await":
            while not (self.results / words[0]).exists():
                time.sleep(0.02)
        elif verb == "kill":
            self.sibling.kill()
            answer = self.sibling.wait()
        elif verb == "die":
            self.sibling.kill()
            os.kill(os.getpid(), signal.SIGKILL)
        self.seen.append({"verb": verb, "answer": answer, "seconds": time.monotonic() - began})

    def end(self):
        mode = self.path.stat().st_mode & 0o777
        self.sibling.kill()
        self.sibling.wait()
        self.cards.stdin.close()
        ending = {"exit": self.cards.wait(), "mode": mode, "ranks": self.ranks, "seen": self.seen}
        ending["left"] = self.path.exists()
        self.folder.rmdir()
        (self.results / f"{self.number}.json").write_text(json.dumps(ending))


def main():
    program, results = sys.argv[1:]
    rank = Rank(program, results)
    for step in json.loads((rank.results / "plan.json").read_text())[str(rank.number)]:
        rank.do(*step)
    rank.end()


if __name__ == "__main__":
    main()
