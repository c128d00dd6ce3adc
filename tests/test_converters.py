"""What the fields of a form take: what people paste is corrected, the rest is explained."""

from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from provider_spec import XinferenceCredentials
from xinfer.spec import FormError, Secret, bearer_key, http_url, language_code
from xinfer.spec.errors import Invalid
from xinfer.spec.values import codec_of

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
        ("http://a b:9997", "'http://a b:9997' contains a blank"),
        ("http://h:99999", "the port in 'http://h:99999' must be a number up to 65535"),
        ("http://h:port", "the port in"),
        ("h:9997", r"begin with http:// or https://, e\.g\. http://h:9997$"),
        ("//h:9997", r"e\.g\. http://h:9997$"),
        ("ftp://h", r"e\.g\. http://192\.168\.1\.100:9997"),
        ("http://", "is not a URL"),
        ("http://[::1", "is not a URL"),
        (" , ", r"'' is not a URL.*192\.168"),
        ("http:/h", r"e\.g\. http://h$"),
        ("http//h", r"e\.g\. http://h$"),
        ("http:h", r"e\.g\. http://h$"),
        ("https:/h:8443/base", r"e\.g\. https://h:8443/base$"),
        ("HTTP\\\\h:1", r"e\.g\. http://h:1$"),
        ("htp://h", r"e\.g\. http://h$"),
        ("http;//h", r"e\.g\. http://h$"),
        ("http:///h", r"e\.g\. http://h$"),
        ("http://http://h", r"e\.g\. http://h$"),
        ("http.example.com:9997", r"e\.g\. http://http\.example\.com:9997$"),
        ("http:", r"e\.g\. http://192\.168\.1\.100:9997$"),
        ("::1:9997", r"e\.g\. http://\[::1\]:9997$"),
        ("[::1]:9997", r"e\.g\. http://\[::1\]:9997$"),
        ("http://::1:9997", r"without brackets: write http://\[::1\]:9997$"),
        ("https://fe80::1", r"without brackets: write https://\[fe80::1\]$"),
        ("http://2001:db8::7:9997/x", r"write http://\[2001:db8::7\]:9997$"),
        ("http://h:80:9997", "the port in"),
        ("http://:9997", "is not a URL"),
        ("http://a..b", r"'a\.\.b' in 'http://a\.\.b' is not a host name"),
        ("http://.a", "is not a host name"),
        ("http://*.a", "is not a host name"),
        (f"http://{'a' * 64}.b", "is not a host name"),
        (f"http://{'a.' * 130}b", "is not a host name"),
        (f"http://{'名' * 60}.cn", "is not a host name"),
        ("http://a$b", "is not a host name"),
    ],
)
def test_what_is_no_url_says_which_part_is_wrong(typed, words):
    with pytest.raises(Invalid, match=words) as refused:
        tidy(typed)
    assert refused.value.message.chinese != refused.value.message.en_US
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("http：//192.168.1.100:9997", "http://192.168.1.100:9997"),
        ("http://192.168.1.100：9997", "http://192.168.1.100:9997"),
        ("ｈｔｔｐ：／／１９２．１６８．１．１００：９９９７／ｖ１", "http://192.168.1.100:9997"),
        ("http://例子。中国：９９９７", "http://例子.中国:9997"),
        ("\u3000http://h:1\u3000", "http://h:1"),
        ("http://h\u200b:1", "http://h:1"),
    ],
)
def test_full_width_characters_become_the_usual_ones(typed, url):
    assert tidy(typed) == url


@pytest.mark.parametrize(
    "url",
    ["http://xinference_server:9997", "http://a.b.", f"http://{'a' * 63}", "http://10.0.0.1:1/x"],
)
def test_hosts_that_a_client_looks_up_are_taken(url):
    assert tidy(url) == url


def test_both_languages_quote_what_was_entered():
    with pytest.raises(Invalid) as refused:
        tidy("http://a\x00b\u3000c")
    assert str(refused.value) == r"'http://a\x00b c' contains a blank"
    assert refused.value.message.chinese == r"“http://a\x00b c”中含有空格"


@given(st.text())
def test_any_text_is_a_url_that_stays_or_is_refused(text):
    try:
        url = tidy(text)
    except Invalid:
        return
    assert tidy(url) == url
    assert urlsplit(url).hostname


@given(st.from_regex(r"(https?:)?/{0,2}[a-z0-9.:\[\]%@-]{1,30}(/[a-z1]{0,3})?", fullmatch=True))
def test_what_looks_like_a_url_is_one_that_requests_takes_or_is_refused(text):
    try:
        url = tidy(text)
    except Invalid:
        return
    prepared = requests.Request("GET", f"{url}/v1/models").prepare()
    assert prepared.url


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
    raw = {**GOOD, "api_key": pasted}
    with pytest.raises(FormError, match=r"api_key.*copy it again") as refused:
        XinferenceCredentials.from_form(raw)
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


@pytest.mark.parametrize(
    ("changes", "english", "chinese"),
    [
        (
            {"invoke_timeout": "soon"},
            "'soon' is not a number, e.g. 60",
            "“soon”无效：请填写数字，例如 60",
        ),
        (
            {"max_retries": "3 times"},
            "'3 times' is not a whole number, e.g. 8192",
            "“3 times”无效：请填写整数，例如 8192",
        ),
        ({"max_retries": "11"}, "must be from 0 to 10, not 11", "必须在 0 到 10 之间（当前为 11）"),
        (
            {"invoke_timeout": "-1"},
            "must be greater than 0, not -1",
            "必须大于 0（当前为 -1）",
        ),
        (
            {"verify_tls": "maybe"},
            "'maybe' is not true or false",
            "“maybe”无效：请填写 true 或 false",
        ),
        ({"model_uid": {"a": 1}}, "must be text, not an object", "必须是文本，而不是对象"),
        (
            {"api_key": "[__HIDDEN__]"},
            "is [__HIDDEN__], which Dify shows instead of a stored value: enter this field again",
            "值为 [__HIDDEN__]，这是 Dify 用来代替已保存值的占位符：请重新填写此字段",
        ),
        (
            {"max_retries": "9" * 5000},
            f"'{'9' * 80}…' is not a whole number, e.g. 8192",
            f"“{'9' * 80}…”无效：请填写整数，例如 8192",
        ),
    ],
)
def test_a_refusal_names_the_value_and_what_is_accepted(changes, english, chinese):
    with pytest.raises(FormError) as refused:
        XinferenceCredentials.from_form({**GOOD, **changes})
    (problem,) = refused.value.problems
    assert (problem.message.en_US, problem.message.chinese) == (english, chinese)
