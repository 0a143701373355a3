"""Personal data is found by its form where it stands; numbers, code and names of other kinds are left alone."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.text.personal_data import KINDS, Kind, find_personal_data

NONE = [
    "One cell holds 6200000000 bases of DNA.",
    "The cell is 0.0000317 m wide.",
    "A cell count of 2700000 per ml is normal.",
    "Mobile sales brought 41000000 euros.",
    "Tel Aviv: 3900000 live nearby.",
    "log: 11-03-2023 08:15:59 stop",
    "Arrival 09-10-2024 17.40",
    "Cell 2023-11-30 is empty.",
    "[2024-03-01 12:00:00,123] 0098 INFO",
    "Born 05/06/1984, died 07/08/2021.",
    "ISBN 978-3-16-148410-0",
    "ISBN 0-306-40615-2",
    "978-0-306-40615-7",
    "The book 0-306-40615-2 is out of print.",
    "192.168.100.200",
    "server 10.200.100.123:8080",
    "version 10.2.33.4567",
    "Python 3.11.4, NumPy 1.26.4",
    "52.5200, 13.4050",
    "+52.5200 +13.4050",
    "lat 52.520008, lon 13.404954",
    "It sold for $1,250,000.00 and €2.500.000,00.",
    "The set ended 21-19 21-17 21-15.",
    "Task wars: 1914-1918 1939-1945.",
    "(1998) 394 1234-1240",
    "git clone git@github.com:user/repo.git",
    "y = X@W.reshape(2, 3)",
    "z = q@k.transpose(1, 2)",
    "out = x@self.weight",
    "h = X@W.T + b",
    "icon@2x.png",
    "npm i react@18.2.0",
    "https://user:secret@host.com/path",
    "Order 4539578763621486 was shipped.",
    "Tracking number: 6011000990139424",
    "123e4567-e89b-12d3-a456-426614174000",
    "sha 9e107d9d372bb6826bd81d3542a419d6",
    "0x7fff5fbff8c0",
    "The timestamp 1700000000 is in 2023.",
    "pi = 3.14159265358979323846",
    "The number 1234567890 is round.",
    "3 + 4912345678 = 4912345681",
    "F(0)=1, f(100) = 200-3000",
    "01 02 03 04 05 06",
    "01 02 03 04 05",
    "0101 1010 0101 1100",
    "1,2,3,4,5,6,7,8,9,10",
    "Population 0 12 345 678 901",
    "The phone costs $1,200.50, and 24 months of it $28800000.",
    "Our mobile app has 12000000 users.",
    "The cell phone market reached 1500000000 units.",
    "Row 12, cell 1234567 holds the sum.",
    "Call 12345678 times.",
    "Ring 2024-01-31 in your calendar",
    "In 2020-2021 2022-2023 it rained.",
    "arXiv 2502.15654 and 2403.08295",
    "DOI 10.1000/182.1234567",
    "Invoice no. 030-12345678",
    "Case ID: 415-555-2671",
    "Model 212-736-5000X",
    "GPS +40.446111 -79.982222",
    "The range is 10000000-20000000.",
    "a = [0.12345678, 0.87654321]",
    "2 x 1234567 = 2469134",
    "The ratio is 100000:250000.",
    "555-0142",
    "chr1:1000000-2000000",
    "Win 6/49: 05 12 23 34 45 49",
    "Take 12-34-56 as the code.",
    "phone: n/a, room 12",
    "mobile: 50% of 2000000 visits",
]
PHONES = [
    "+49 30 901820",
    "+49 (0)30 901820-12",
    "+49-171-2345678",
    "+49 171/2345678",
    "+4917123456789",
    "+44 20 7946 0018",
    "+44 (0)20 7946 0018",
    "+447911123456",
    "+1-212-736-5000",
    "+1 (212) 736-5000",
    "+1 212 736 5000 ext. 12",
    "+12127365000",
    "+33 6 12 34 56 78",
    "+33612345678",
    "+33.1.42.68.53.00",
    "+91 98765 43210",
    "+91-9876543210",
    "+81 3-1234-5678",
    "+81-90-1234-5678",
    "+86 138 0013 8000",
    "+7 495 123-45-67",
    "+39 06 698 12345",
    "+34 612 34 56 78",
    "0044 20 7946 0018",
    "00 49 30 901820",
    "(212) 736-5000",
    "1 (212) 736-5000",
    "212-736-5000",
    "123-456-7890",
    "(123) 456-7890",
    "212.736.5000",
    "1-800-356-9377",
    "212-736-5000 x123",
    "(030) 90182033",
    "(020) 7946 0018",
    "030 90182033",
    "030/90182033",
    "0171/8550123",
    "0171-8550123",
    "0171 855 01 23",
    "020 7946 0018",
    "07911 123456",
    "01 42 68 53 00",
    "06 12 34 56 78",
    "06.12.34.56.78",
    "03-1234-5678",
    "090-1234-5678",
    "03(1234)5678",
    "098765 43210",
    "Phone: 7365000",
    "call me at 736 5000",
    "Call me: 9876543210",
    "My cell is 2127365000.",
    "Tel.: 03012345678",
    "tel 0612345678",
    "Mobile no. 07911123456",
    "Telefon: 030 12345678",
    "Handy: 0171 8550123",
    "phone number is 736-5000",
    "WhatsApp: 98765 43210",
    "电话：13800138000",
    "電話：03-1234-5678",
    "\u202a+972 52-123-4567\u202c",
    "＋４９ ３０ ９０１８２０",
    "+49\xa030\xa0901820",
    "212\u2011736\u20115000",
]
OTHERS: dict[Kind, list[str]] = {
    "email": [
        "Write to ann.smith@mail-box.org.",
        "ann+news@firm.co.uk",
        "mailto:J_D@UNI.EDU",
        "ann [at] firm [dot] com",
        "It is ann(at)firm.de, I think.",
        "<bob@web.de>",
        "E-mail:bob@web.de",
        "contact: a.b@uni-münchen.de: he answers",
        "jo@x.com",
        "bob\u200b@web.de",
        "bob＠web.de",
    ],
    "card": [
        "4539 1488 0343 6467",
        "4539148803436467.",
        "4539-1488-0343-6467",
        "Amex 3782 822463 10005",
        "5555 5555 5555 4444",
        "card 6011111111111117",
    ],
    "iban": [
        "DE89 3704 0044 0532 0130 00",
        "GB82WEST12345698765432",
        "NL91ABNA0417164300",
        "FR76 3000 6000 0112 3456 7890 189",
        "account DE89370400440532013000.",
    ],
    "ssn": ["My number is 536-90-4399."],
}


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_personal_data_is_not_found(text: str) -> None:
    assert find_personal_data(text) == []


@pytest.mark.parametrize("text", PHONES)
def test_telephone_numbers_of_many_countries_are_found(text: str) -> None:
    assert [span.kind for span in find_personal_data(text)] == ["phone"]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in OTHERS.items() for text in texts])
def test_addresses_cards_accounts_and_social_security_numbers_are_found(kind: Kind, text: str) -> None:
    assert [span.kind for span in find_personal_data(text)] == [kind]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("Call me at (212) 736-5000, please.", "(212) 736-5000"),
        ("Tel. +49 30 901820 ext. 12.", "+49 30 901820 ext. 12"),
        ("My\u00ad mail is bob\u200b@web.de, yes", "bob\u200b@web.de"),
        ("Ring \u202a+972 52-123-4567\u202c now", "+972 52-123-4567"),
        ("电话：13800138000。", "13800138000"),
        ("Pay 4539 1488 0343 6467 now", "4539 1488 0343 6467"),
        ("to ES91 2100 0418 4502 0005 1332 BIC CAIXESBB", "ES91 2100 0418 4502 0005 1332"),
        ("to DE89 3704 0044 0532 0130 00.", "DE89 3704 0044 0532 0130 00"),
    ],
)
def test_a_span_is_what_is_to_be_masked_and_no_more(text: str, data: str) -> None:
    ((_, start, end),) = find_personal_data(text)
    assert text[start:end] == data


def test_spans_of_several_kinds_come_in_order_and_a_kind_that_is_not_wanted_is_left_out() -> None:
    text = "Bob <bob@web.de>, 212-736-5000, card 4539 1488 0343 6467, 536-90-4399"
    assert [span.kind for span in find_personal_data(text)] == ["email", "phone", "card", "ssn"]
    assert [span.kind for span in find_personal_data(text, ("phone", "ssn"))] == ["phone", "ssn"]
    assert find_personal_data("Card 4539 1488 0343 6467", ("phone",)) == [], "no part of a card is a telephone number"


@given(st.text(st.sampled_from("0123456789 +-./()@ab\u00ad\u00a0＠:"), max_size=60))
def test_spans_lie_inside_the_text_in_order_and_apart(text: str) -> None:
    spans = find_personal_data(text)
    assert all(span.kind in KINDS and 0 <= span.start < span.end <= len(text) for span in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
