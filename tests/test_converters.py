"""What the fields of a form take: what people paste is mended, anything else is explained."""

import pytest

from provider_spec import XinferenceCredentials
from xinfer.spec import FormError, Secret, bearer_key, http_url, language_code
from xinfer.spec.values import Invalid, codec_of

tidy = http_url(without=("/v1", "/docs"))
GOOD = {"server_url": "http://127.0.0.1:9997", "model_uid": "chat"}


@pytest.mark.parametrize(
    "pasted",
    [
        "`http://h:9997/v1`",
        '"http://h:9997"',
        "“http://h:9997”。",
        "<http://h:9997>",
        "http://h:9997，",
        "\ufeffhttp://h:9997\u200b",
        "http://h:9997/v1/docs/",
        "\thttp://h:9997\r\n",
    ],
)
def test_what_surrounds_a_url_in_a_sentence_goes(pasted):
    assert tidy(pasted) == "http://h:9997"


@pytest.mark.parametrize("url", ["http://[::1]", "http://[fe80::1]:9997", "http://[::1]/x"])
def test_the_brackets_of_an_ipv6_address_stay(url):
    assert tidy(url) == url
    assert tidy(f"{url}/v1/") == url


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("http://a b:9997", "'http://a b:9997' holds a blank"),
        ("http://h:99999", "the port in 'http://h:99999' must be a number up to 65535"),
        ("http://h:port", "the port in"),
        ("h:9997", r"begin with http:// or https://, e\.g\. http://h:9997$"),
        ("//h:9997", r"e\.g\. http://h:9997$"),
        ("ftp://h", r"e\.g\. http://192\.168\.1\.100:9997"),
        ("http://", "is not a URL"),
        ("http://[::1", "is not a URL"),
        (" , ", r"'' is not a URL.*192\.168"),
    ],
)
def test_what_is_no_url_says_which_part_is_wrong(typed, words):
    with pytest.raises(Invalid, match=words) as refused:
        tidy(typed)
    assert refused.value.message.chinese


@pytest.mark.parametrize(
    "typed", ["ftp://me:pass@h", "http://me:pass@h:port", "me:pass@h", "http://me:pa@pass@h x"]
)
def test_no_message_repeats_a_password(typed):
    with pytest.raises(Invalid) as refused:
        tidy(typed)
    assert "pass" not in str(refused.value)
    assert "********@h" in str(refused.value)


@pytest.mark.parametrize(
    "pasted",
    [
        "sk-1",
        "Bearer sk-1",
        "bearer  sk-1",
        "Authorization: Bearer sk-1",
        '"sk-1"',
        "sk-1\u200b",
        "\ufeffsk-1\r\n",
        "“sk-1”",
    ],
)
def test_what_people_copy_along_with_a_key_goes(pasted):
    assert bearer_key(Secret(pasted)) == Secret("sk-1")


@pytest.mark.parametrize("pasted", ["sk-1\nsk-2", "sk 1", "密钥", "Bearer", "sk-é", "sk-\x00"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_repeated(pasted):
    entered = {**GOOD, "api_key": pasted}
    with pytest.raises(FormError, match=r"api_key.*copy it again") as refused:
        XinferenceCredentials.from_form(entered)
    assert "sk" not in str(refused.value)
    assert "请重新复制" in str(refused.value)


@pytest.mark.parametrize(
    ("typed", "code"),
    [("en", "en"), (" ZH ", "zh"), ("en-US", "en"), ("zh_Hans_CN", "zh"), ("Chinese", "chinese")],
)
def test_a_language_is_its_code(typed, code):
    assert language_code(typed) == code


@pytest.mark.parametrize("typed", ["中文", "en, zh", "1", "e n", "-"])
def test_what_is_no_language_is_explained(typed):
    with pytest.raises(Invalid, match="is not the code of a language"):
        language_code(typed)


@pytest.mark.parametrize(
    ("typed", "number"),
    [("8192", 8192), ("8,192", 8192), ("8192.0", 8192), ("1,048,576", 1048576), ("-3", -3)],
)
def test_numbers_are_read_as_people_write_them(typed, number):
    assert codec_of(int)[0].parse(typed) == number


@pytest.mark.parametrize("typed", ["8,19", "8192.5", "8k", "1,2,3", "三", ""])
def test_what_is_no_whole_number_is_refused(typed):
    with pytest.raises(ValueError, match=r"."):
        codec_of(int)[0].parse(typed)
