#!/usr/bin/env python3
"""Asks the running production example from many clients of both tenants at once, and says how it fared.

    python3 examples/production/load.py --clients 16 --seconds 30
"""

import argparse
import base64
import collections
import http.client
import json
import threading
import time

QUESTIONS = [
    "Tell me a story about an owl.",
    "What is the capital of Nepal?",
    "Count from 3 to 12.",
    "Who are you?",
    "Tell me a story about a lighthouse.",
]
TENANTS = ["acme", "globex"]


class Client(threading.Thread):
    """One client of one tenant: asks, reads the stream to its end, asks again."""

    def __init__(self, number, arguments, end):
        super().__init__(daemon=True)
        self.number = number
        self.tenant = TENANTS[number % len(TENANTS)]
        self.arguments = arguments
        self.end = end
        self.first_event = []
        self.whole = []
        self.tokens = 0
        self.ends = collections.Counter()

    def run(self):
        login = base64.b64encode(f"{self.tenant}:{self.tenant}-demo".encode()).decode()
        headers = {"Authorization": "Basic " + login, "Content-Type": "application/json"}
        asked = self.number
        while time.monotonic() < self.end:
            body = json.dumps({"message": QUESTIONS[asked % len(QUESTIONS)]})
            asked += 1
            connection = http.client.HTTPConnection(self.arguments.host, self.arguments.port, timeout=120)
            try:
                start = time.monotonic()
                connection.request("POST", "/api/chat/stream", body, headers)
                response = connection.getresponse()
                if response.status != 200:
                    self.ends[f"status {response.status}"] += 1
                    # Clients that come back at once make a full queue no emptier
                    time.sleep(float(response.getheader("Retry-After", "1")))
                    continue
                self.read(response, start)
            except OSError as error:
                self.ends[type(error).__name__] += 1
                time.sleep(0.2)
            finally:
                connection.close()

    def read(self, response, start):
        event, ended = None, "cut off"
        for line in response:
            line = line.decode().strip()
            if line.startswith("event:"):
                event = line[6:].strip()
                if len(self.first_event) == len(self.whole):
                    self.first_event.append(time.monotonic() - start)
            elif line.startswith("data:") and event == "end":
                data = json.loads(line[5:])
                ended = data["finishReason"]
                self.tokens += data["completionTokens"]
            elif line.startswith("data:") and event == "error":
                ended = "error"
        if len(self.first_event) > len(self.whole):
            self.whole.append(time.monotonic() - start)
        self.ends[ended] += 1


def percentiles(seconds):
    if not seconds:
        return "none"
    ordered = sorted(seconds)
    shown = (f"p{p} {1000 * ordered[min(len(ordered) - 1, len(ordered) * p // 100)]:.0f} ms" for p in (50, 90, 99))
    return ", ".join(shown) + f", longest {1000 * ordered[-1]:.0f} ms"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=30)
    arguments = parser.parse_args()

    start = time.monotonic()
    clients = [Client(i, arguments, start + arguments.seconds) for i in range(arguments.clients)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    took = time.monotonic() - start

    print(f"{len(clients)} clients, {took:.1f} s")
    for tenant in TENANTS:
        group = [client for client in clients if client.tenant == tenant]
        ends = sum((client.ends for client in group), collections.Counter())
        tokens = sum(client.tokens for client in group)
        print(f"{tenant}: {sum(ends.values())} requests, {tokens / took:.0f} tokens/s; ends: {dict(ends.most_common())}")
    print("first event: " + percentiles([s for client in clients for s in client.first_event]))
    print("whole answer: " + percentiles([s for client in clients for s in client.whole]))
    print(f"all: {sum(client.tokens for client in clients) / took:.0f} tokens/s")


if __name__ == "__main__":
    main()
