"""Schemes whose senders hold a key of their own: PayPal, Amazon SNS, Discord, SendGrid, JSON Web Tokens."""

import base64
import zlib
from dataclasses import replace

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from webhooks.signatures import aws_sns, discord, jwt, paypal, sendgrid
from webhooks.signatures.contract import Attempt
from webhooks.tests.signatures.minted import NOW as MOMENT
from webhooks.tests.signatures.minted import Sender

NOW = MOMENT.timestamp()
BODY = b'{"event_type":"PAYMENT.SALE.COMPLETED"}'
CERT_URL = "https://api.paypal.com/v1/notifications/certs/CERT-1"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:orders"
SNS_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"


@pytest.fixture(scope="module")
def pal():
    return Sender("messageverificationcerts.paypal.com")


@pytest.fixture(scope="module")
def amazon():
    return Sender("sns.amazonaws.com")


def of_paypal(sender, body=BODY, url=CERT_URL, **options):
    content = f"t-1|2026-11-22T12:00:00Z|WH-1|{zlib.crc32(BODY)}".encode()
    headers = {
        "paypal-transmission-id": "t-1",
        "paypal-transmission-time": "2026-11-22T12:00:00Z",
        "paypal-cert-url": url,
        "paypal-auth-algo": "SHA256withRSA",
        "paypal-transmission-sig": base64.b64encode(sender.sign(content)).decode(),
    }
    known = {CERT_URL: sender.pem}
    return Attempt((), headers, body, NOW, options={"webhook_id": "WH-1", **options}, certificates=known)


def test_a_delivery_of_paypal_is_verified_by_the_certificate_of_its_address(pal):
    verdict = paypal.verify(of_paypal(pal))

    assert (verdict.ok, verdict.delivery_id) == (True, "t-1")


def test_paypals_signature_is_good_for_this_body_and_this_webhook_only(pal):
    attempts = [of_paypal(pal, BODY + b" "), of_paypal(pal, webhook_id="WH-2"), of_paypal(pal, webhook_id="")]

    assert [paypal.verify(attempt).code for attempt in attempts] == [
        "signature_wrong",
        "signature_wrong",
        "webhook_id_missing",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/cert.pem",
        "http://api.paypal.com/cert",
        "https://api.paypal.com:8443/cert",
        "https://api.paypal.com@evil.example/cert",
        "https://evil.example/?https://api.paypal.com/",
        "https://api.paypal.com.evil.example/cert",
        "https://xapi.paypal.com/cert",
        "https://api.paypal.com\\@evil.example/cert",
        "https://API.PAYPAL.COM\u0130/cert",
        "https://api.paypal.com/cert?next=http://evil.example",
        "//api.paypal.com/cert",
        "https://[::1]/cert",
        "https://api.paypal.com:99999/",
        "",
    ],
)
def test_no_other_host_is_ever_asked_for_paypals_certificate(pal, url):
    attempt = of_paypal(pal, url=url)

    assert paypal.wanted(attempt) == ()
    assert paypal.verify(attempt).code == "certificate_wrong"


@pytest.mark.parametrize("url", [CERT_URL, "https://api-m.sandbox.paypal.com/certs/1", "https://api.paypal.com:443/c"])
def test_paypals_own_hosts_are_asked(pal, url):
    assert paypal.wanted(of_paypal(pal, url=url)) == (url,)


def test_a_certificate_of_another_party_or_out_of_date_is_refused(pal):
    other, ended = Sender("paypal.com.evil.example"), Sender("certs.paypal.com", days=-1)

    assert paypal.verify(of_paypal(other)).code == "certificate_wrong"
    assert paypal.verify(of_paypal(ended)).code == "certificate_expired"
    assert paypal.verify(replace(of_paypal(pal), certificates={})).code == "certificate_unavailable"
    assert paypal.verify(replace(of_paypal(pal), certificates={CERT_URL: b"no pem"})).code == "certificate_wrong"


def test_a_pinned_certificate_is_used_and_none_is_wanted(pal):
    attempt = of_paypal(Sender("certs.paypal.com"), certificate=pal.pem.decode())

    assert paypal.wanted(attempt) == ()
    assert paypal.verify(attempt).code == "signature_wrong"
    assert paypal.verify(of_paypal(pal, certificate=pal.pem.decode())).ok


def of_amazon(sender, version="1", **fields):
    body = {
        "Type": "Notification",
        "MessageId": "m-1",
        "TopicArn": TOPIC,
        "Subject": "New",
        "Message": "order 7",
        "Timestamp": "2026-11-22T12:00:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": SNS_URL,
        **fields,
    }
    names = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
    if body["Type"] != "Notification":
        names = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
    text = "".join(f"{name}\n{body[name]}\n" for name in names if name in body)
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
    body["Signature"] = base64.b64encode(sender.sign(text.encode(), algorithm)).decode()
    return body


def seen(body, sender, topics=(TOPIC,)):
    options = {"topic_arns": list(topics)}
    return Attempt((), {}, b"-", NOW, options=options, read=lambda: body, certificates={SNS_URL: sender.pem})


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_message_of_a_topic_is_verified_in_both_versions(amazon, version):
    verdict = aws_sns.verify(seen(of_amazon(amazon, version), amazon))

    assert (verdict.ok, verdict.delivery_id) == (True, "m-1")


def test_each_signed_field_of_a_message_counts(amazon):
    body = of_amazon(amazon, "2")

    for name in ("Message", "MessageId", "Subject", "Timestamp", "Type"):
        assert aws_sns.verify(seen({**body, name: "changed"}, amazon)).code == "signature_wrong"


def test_a_topic_that_nobody_named_is_refused_and_its_certificate_not_fetched(amazon):
    attempt = seen(of_amazon(amazon), amazon, topics=["arn:aws:sns:eu-west-1:123456789012:other"])

    assert (aws_sns.verify(attempt).code, aws_sns.wanted(attempt)) == ("topic_unknown", ())


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
        "https://evil.s3.amazonaws.com/a.pem",
        "http://sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com/a.txt",
        7,
    ],
)
def test_no_other_host_is_ever_asked_for_amazons_certificate(amazon, url):
    attempt = seen(of_amazon(amazon, SigningCertURL=url), amazon)

    assert (aws_sns.verify(attempt).code, aws_sns.wanted(attempt)) == ("certificate_wrong", ())


@pytest.mark.parametrize(
    ("url", "confirmed"),
    [
        ("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t", True),
        ("https://evil.example/?Action=ConfirmSubscription", False),
        ("https://sns.eu-west-1.amazonaws.com@evil.example/?a", False),
    ],
)
def test_a_subscription_is_confirmed_at_amazon_only(amazon, url, confirmed):
    body = of_amazon(amazon, Type="SubscriptionConfirmation", Token="t", SubscribeURL=url)
    attempt = seen(body, amazon)

    assert aws_sns.verify(attempt).ok
    assert aws_sns.confirm(attempt, body).confirm_url == (url if confirmed else "")


@pytest.mark.parametrize(
    "body", [None, [], "text", {}, {"Signature": 7}, {"Signature": "AAAA", "SignatureVersion": "3"}]
)
def test_what_is_no_message_is_refused(amazon, body):
    assert aws_sns.verify(seen(body, amazon)).code in {"signature_missing", "signature_malformed"}


def test_discord_is_verified_by_the_apps_public_key():
    key = ed25519.Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    headers = {
        "x-signature-timestamp": str(int(NOW)),
        "x-signature-ed25519": key.sign(b"%d" % NOW + BODY).hex(),
    }

    verdicts = [
        discord.verify(Attempt((public,), headers, body, now))
        for body, now in ((BODY, NOW), (BODY + b" ", NOW), (BODY, NOW + 300), (BODY, NOW + 301))
    ]

    assert [verdict.code for verdict in verdicts] == ["", "signature_wrong", "", "too_old"]
    assert (discord.refusal_of(public), bool(discord.refusal_of("7"))) == (None, True)


def test_sendgrid_is_verified_by_its_public_key_at_any_age():
    key = ec.generate_private_key(ec.SECP256R1())
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    public = base64.b64encode(spki).decode()
    body = b"[]\r\n"
    signature = key.sign(b"1700000000" + body, ec.ECDSA(hashes.SHA256()))
    headers = {
        sendgrid.TIMESTAMP.lower(): "1700000000",
        sendgrid.SIGNATURE.lower(): base64.b64encode(signature).decode(),
    }

    verdicts = [sendgrid.verify(Attempt((public,), headers, sent, NOW)) for sent in (body, b"[]")]

    assert [verdict.code for verdict in verdicts] == ["", "signature_wrong"]
    assert (sendgrid.refusal_of(public), bool(sendgrid.refusal_of("AAAA"))) == (None, True)


SHARED = "a-shared-key-of-at-least-32-bytes-long-and-of-64-for-another-algorithm"
CLAIMS = {"exp": NOW + 60, "aud": "flows", "iss": "shop"}
OPTIONS = {"audience": "flows", "issuer": "shop"}


def judged(token, secret=SHARED, now=NOW, **options):
    attempt = Attempt((secret,), {"authorization": f"Bearer {token}"}, b"{}", now, 30, options={**OPTIONS, **options})
    return jwt.verify(attempt).code


def without(name):
    return {key: value for key, value in CLAIMS.items() if key != name}


def test_a_token_is_verified_within_its_time():
    token = pyjwt.encode(CLAIMS, SHARED)

    assert [judged(token, now=NOW + late) for late in (0, 90, 91)] == ["", "", "too_old"]
    assert judged(pyjwt.encode({**CLAIMS, "nbf": NOW + 31}, SHARED)) == "too_new"


@pytest.mark.parametrize(
    "token",
    [
        pyjwt.encode(CLAIMS, SHARED, algorithm="HS512"),
        pyjwt.encode(CLAIMS, None, algorithm="none"),
        pyjwt.encode(CLAIMS, "another-key-of-at-least-32-bytes-long!!!!!!!"),
        pyjwt.encode(without("exp"), SHARED),
        pyjwt.encode(without("aud"), SHARED),
        pyjwt.encode({**CLAIMS, "iss": "other"}, SHARED),
        "no.token.atall",
        "é.é.é",
    ],
)
def test_a_token_that_is_not_as_agreed_is_refused(token):
    assert judged(token) == "signature_wrong"


@pytest.mark.parametrize("end", ["tomorrow", True, None])
def test_an_end_that_is_no_number_is_refused(end):
    assert judged(pyjwt.encode({**CLAIMS, "exp": end}, SHARED)) in {"timestamp_malformed", "signature_wrong"}


def test_a_public_key_is_never_a_shared_one():
    key = rsa.generate_private_key(65537, 2048)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    token = pyjwt.encode(CLAIMS, key, algorithm="RS256")

    assert judged(token, public, algorithm="RS256") == ""
    assert judged(token, public) == "signature_wrong"
    assert judged(pyjwt.encode(CLAIMS, SHARED), public) == "signature_wrong"
    assert (jwt.refusal_of(public), bool(jwt.refusal_of("short"))) == (None, True)
