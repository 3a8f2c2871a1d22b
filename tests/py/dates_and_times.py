"""Dates, times, durations and zones."""

import copy
import pickle
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta, timezone, tzinfo


def raises(kind, text, function, *args, **keywords):
    try:
        function(*args, **keywords)
    except kind as error:
        assert str(error) == text, str(error)
    else:
        raise AssertionError(text)


# Durations.
assert timedelta(1, 2, 3) == timedelta(days=1, seconds=2, microseconds=3)
assert timedelta(weeks=1, days=-7) == timedelta() and not timedelta()
assert repr(timedelta(-1)) == "datetime.timedelta(days=-1)" and repr(timedelta()) == "datetime.timedelta(0)"
assert str(timedelta(-1, 1, 5)) == "-1 day, 0:00:01.000005" and str(timedelta(2)) == "2 days, 0:00:00"
# Fractions are rounded once, half to even.
assert timedelta(microseconds=0.5) == timedelta() and timedelta(microseconds=1.5) == timedelta(microseconds=2)
assert timedelta(seconds=0.1, microseconds=0.4) == timedelta(microseconds=100000)
assert timedelta(days=10 ** 50, hours=-24 * 10 ** 50) == timedelta()
assert timedelta(10) / 3 == timedelta(3, 28800) and timedelta(1) / timedelta(hours=1) == 24
assert timedelta(1) * 1.5 == timedelta(1, 43200) and timedelta(7) // 2 == timedelta(3, 43200)
assert divmod(timedelta(1), timedelta(hours=7)) == (3, timedelta(hours=3))
assert abs(timedelta(-1)) == -timedelta(-1) == +timedelta(1)
assert timedelta.max.total_seconds() == 86399999999999.999999
assert hash(timedelta(1)) == hash(timedelta(hours=24))
raises(OverflowError, "days=1000000000; must have magnitude <= 999999999", timedelta, 10 ** 9)
raises(OverflowError, "Python int too large to convert to C int", timedelta, 10 ** 20)
raises(ZeroDivisionError, "integer division or modulo by zero", timedelta(1).__truediv__, 0)
raises(TypeError, "unsupported type for timedelta days component: str", timedelta, "a")

# Dates.
assert (MINYEAR, MAXYEAR) == (1, 9999)
assert date(2024, 2, 29).toordinal() == 738945 and date.fromordinal(738945) == date(2024, 2, 29)
assert date.max - date.min == timedelta(3652058) and date.min + timedelta(3652058) == date.max
assert tuple(date(2021, 1, 3).isocalendar()) == (2020, 53, 7)
assert repr(date(2021, 1, 3).isocalendar()) == "datetime.IsoCalendarDate(year=2020, week=53, weekday=7)"
assert date.fromisocalendar(2020, 53, 7) == date.fromisoformat("2020-W53-7") == date.fromisoformat("20210103")
assert f"{date(2021, 1, 3):%d.%m.%Y}" == "03.01.2021" and date(33, 1, 1).strftime("%Y %G %C %F") == "0033 0032 00 0033-01-01"
assert date(2021, 1, 3).timetuple()[:8] == (2021, 1, 3, 0, 0, 0, 6, 3)
raises(ValueError, "year must be in 1..9999, not 0", date, 0, 1, 1)
raises(ValueError, "day 29 must be in range 1..28 for month 2 in year 2023", date, 2023, 2, 29)
raises(ValueError, "Invalid isoformat string: '2023-2-9'", date.fromisoformat, "2023-2-9")
raises(OverflowError, "date value out of range", date.max.__add__, timedelta(1))

# Times.
assert time(1, 2, 3, 4).isoformat() == "01:02:03.000004" and time(1, 2).isoformat("hours") == "01"
assert time.fromisoformat("T12:30:15,25Z") == time(12, 30, 15, 250000, UTC)
assert time(12, tzinfo=timezone(timedelta(hours=1))) == time(11, tzinfo=UTC) != time(11)
assert hash(time(12, tzinfo=timezone(timedelta(hours=1)))) == hash(time(11, tzinfo=UTC))
assert time(1).replace(fold=1).fold == 1 and repr(time(1, tzinfo=UTC, fold=1)) == "datetime.time(1, 0, tzinfo=datetime.timezone.utc, fold=1)"
raises(ValueError, "hour must be in 0..23, not 24", time, 24)
raises(TypeError, "can't compare offset-naive and offset-aware times", time(1).__lt__, time(1, tzinfo=UTC))

# Datetimes.
moment = datetime(2024, 2, 29, 23, 59, 59, 999999, timezone(timedelta(hours=-5), "EST"))
assert str(moment) == "2024-02-29 23:59:59.999999-05:00" and moment.tzname() == "EST"
assert moment.astimezone(UTC) == moment and str(moment.astimezone(UTC)) == "2024-03-01 04:59:59.999999+00:00"
assert moment.timestamp() == 1709269199.999999 and datetime.fromtimestamp(moment.timestamp(), UTC) == moment
assert moment + timedelta(microseconds=1) == datetime(2024, 3, 1, tzinfo=moment.tzinfo)
assert datetime.fromisoformat("2024-02-29T24:00") == datetime(2024, 3, 1)
assert datetime.combine(date(2024, 1, 1), time(12, tzinfo=UTC)) == datetime(2024, 1, 1, 12, tzinfo=UTC)
assert datetime.strptime("29/02/24 +0130", "%d/%m/%y %z").utcoffset() == timedelta(hours=1, minutes=30)
assert moment.strftime("%z|%:z|%Z|%f|%%") == "-0500|-05:00|EST|999999|%"
assert moment.utctimetuple()[:6] == (2024, 3, 1, 4, 59, 59)
assert moment.timetuple().tm_isdst == -1 and moment.ctime() == "Thu Feb 29 23:59:59 2024"
raises(TypeError, "can't subtract offset-naive and offset-aware datetimes", moment.__sub__, datetime(2024, 1, 1))
raises(TypeError, "timezone() argument 2 must be str, not None", timezone, timedelta(0), None)


# A zone of Python's, with a fold.
class Zone(tzinfo):
    def utcoffset(self, when):
        return timedelta(hours=1 if when.hour < 2 and not when.fold else 0)

    def dst(self, when):
        return timedelta(0)

    def tzname(self, when):
        return "50%"


early, late = datetime(2024, 1, 1, 1, tzinfo=Zone()), datetime(2024, 1, 1, 1, tzinfo=Zone(), fold=1)
assert early.utcoffset() == timedelta(hours=1) and late.utcoffset() == timedelta(0)
assert hash(early) == hash(late) and early != datetime(2024, 1, 1, tzinfo=UTC)
assert early.strftime("%Z") == "50%"
early.tzinfo.self = early


# Subclasses are made by their constructors.
class Day(datetime):
    def __new__(cls, *args, **keywords):
        made = super().__new__(cls, *args, **keywords)
        made.extra = 7
        return made


for day in (Day(2024, 1, 1), Day(2024, 1, 1) + timedelta(1), Day.now(), Day.fromisoformat("2024-01-01"), Day.min.replace()):
    assert type(day) is Day or day == datetime.min
assert (Day(2024, 1, 1) + timedelta(1)).extra == 7

# Pickles, of this and of older Pythons.
for value in (timedelta(1, 2, 3), date(2024, 1, 2), time(1, 2, 3, 4, UTC), late.replace(tzinfo=None), moment, UTC, moment.tzinfo):
    for protocol in range(6):
        again = pickle.loads(pickle.dumps(value, protocol))
        assert again == value and type(again) is type(value)
    assert copy.deepcopy(value) == value
assert pickle.loads(pickle.dumps(late.replace(tzinfo=None), 4)).fold == 1
assert pickle.loads(pickle.dumps(UTC)) is UTC
assert datetime(b"\x07\xe8\x82\x1d\x17\x3b\x3b\x0f\x42\x3f") == moment.replace(tzinfo=None)
assert date("\x07\xe8\x02\x1d") == date(2024, 2, 29)
