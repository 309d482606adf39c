"""AWS signature 4 by the book: to put an object into a store, so that there is something to fetch, and to look at what signs a request."""

import datetime
import hashlib
import hmac
import re
import urllib.parse
import urllib.request


def signature(method, path, query, headers, key_id, secret, region):
    """The Authorization header of a request with these headers, all of which are signed; path and query as they are sent."""
    names, stamp = ";".join(sorted(headers)), headers["x-amz-date"]
    signed = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = "\n".join([method, path, "&".join(sorted(query.split("&"))), signed, names, headers["x-amz-content-sha256"]])
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    signing = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()])
    return f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={names}, Signature={hmac.new(signing, text.encode(), hashlib.sha256).hexdigest()}"


def is_signed(handler, key_id, secret, region="us-east-1"):
    """Whether the request that an http.server handles is signed with the secret."""
    given = {name.lower(): value for name, value in handler.headers.items()}
    names = re.search(r"SignedHeaders=([^,]*)", given.get("authorization", ""))
    if not names or not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(names[1].split(";")):
        return False
    path, _, query = handler.path.partition("?")
    return given["authorization"] == signature(handler.command, path, query, {name: given[name] for name in names[1].split(";")}, key_id, secret, region)


def put(endpoint, bucket, key, body, key_id, secret, region="us-east-1"):
    path = f"/{bucket}/" + urllib.parse.quote(key, safe="/-_.~")
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": urllib.parse.urlsplit(endpoint).netloc, "x-amz-content-sha256": hashlib.sha256(body).hexdigest(), "x-amz-date": stamp}
    headers["authorization"] = signature("PUT", path, "", headers, key_id, secret, region)
    with urllib.request.urlopen(urllib.request.Request(endpoint + path, data=body, method="PUT", headers=headers)) as answer:
        assert answer.status == 200
