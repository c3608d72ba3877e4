"""tests/lib/linli_device.py: a gate or a band that signs what it sends
(spec/devices.md)."""

import hashlib
import hmac
import itertools
import json
import os
import time

KEY_HEX = "00112233445566778899aabbccddeeff" * 2
_nonces = itertools.count(1)


def nonce():
    """One that nobody has had."""
    return "%d-%d-%s" % (os.getpid(), next(_nonces), os.urandom(4).hex())


class Device:
    """A device of a community, as a seed made it."""

    def __init__(self, daemon, device_id, key_hex=KEY_HEX, community="demo",
                 plugin="gates"):
        self.daemon = daemon
        self.id = device_id
        self.key = bytes.fromhex(key_hex)
        self.base = "/v1/c/%s/%s" % (community, plugin)

    def header(self, method, target, body=b"", ts=None, with_nonce=None):
        """Linli-Signature of a request; the time is now unless given."""
        ts = int(time.time()) if ts is None else ts
        once = with_nonce or nonce()
        text = "\n".join([method, target, str(ts), once,
                          hashlib.sha256(body).hexdigest()])
        signature = hmac.new(self.key, text.encode(), hashlib.sha256)
        return "device=%s,ts=%d,nonce=%s,sig=%s" % (
            self.id, ts, once, signature.hexdigest())

    def send(self, path, body=None, method="POST", header=None, **how):
        """A signed request below the plugin; an Answer. `header` replaces
        the signature; `how` goes to header()."""
        target = self.base + path
        content = b"" if body is None else json.dumps(body).encode()
        header = header or self.header(method, target, content, **how)
        return self.daemon.http(method, target, content or None,
                                headers={"Linli-Signature": header})
