/* Dates and times through the capsule, and buffers for pickling. */
#include "check.h"
#include <datetime.h>

static void numbers(void)
{
    PyDateTime_IMPORT;
    CHECK(PyDateTimeAPI != NULL);
    PyObject *date = PyDate_FromDate(2024, 2, 29);
    CHECK(date != NULL && PyDate_CheckExact(date) && !PyDateTime_Check(date));
    CHECK(PyDateTime_GET_YEAR(date) == 2024 && PyDateTime_GET_MONTH(date) == 2 && PyDateTime_GET_DAY(date) == 29);
    Py_DECREF(date);
    CHECK(PyDate_FromDate(2023, 2, 29) == NULL);
    RAISED(PyExc_ValueError);

    PyObject *when = PyDateTime_FromDateAndTimeAndFold(1999, 12, 31, 23, 59, 58, 999999, 1);
    CHECK(when != NULL && PyDateTime_Check(when) && PyDate_Check(when));
    CHECK(PyDateTime_GET_YEAR(when) == 1999 && PyDateTime_DATE_GET_SECOND(when) == 58);
    CHECK(PyDateTime_DATE_GET_MICROSECOND(when) == 999999 && PyDateTime_DATE_GET_FOLD(when) == 1);
    CHECK(PyDateTime_DATE_GET_TZINFO(when) == Py_None);
    Py_DECREF(when);
    CHECK(PyDateTime_FromDateAndTimeAndFold(1999, 12, 31, 23, 59, 58, 0, 2) == NULL);
    RAISED(PyExc_ValueError);

    when = PyDateTimeAPI->DateTime_FromDateAndTime(2000, 1, 1, 12, 0, 0, 0, PyDateTime_TimeZone_UTC,
                                                   PyDateTimeAPI->DateTimeType);
    CHECK(when != NULL && PyDateTime_DATE_GET_TZINFO(when) == PyDateTime_TimeZone_UTC);
    PyObject *text = PyObject_Str(when);
    CHECK(text != NULL && PyUnicode_CompareWithASCIIString(text, "2000-01-01 12:00:00+00:00") == 0);
    Py_DECREF(text);
    Py_DECREF(when);

    PyObject *time = PyTime_FromTime(1, 2, 3, 4);
    CHECK(time != NULL && PyTime_CheckExact(time) && PyDateTime_TIME_GET_MINUTE(time) == 2);
    CHECK(PyDateTime_TIME_GET_MICROSECOND(time) == 4 && PyDateTime_TIME_GET_TZINFO(time) == Py_None);
    Py_DECREF(time);

    PyObject *delta = PyDelta_FromDSU(1, -1, 2000000);
    CHECK(delta != NULL && PyDelta_Check(delta));
    CHECK(PyDateTime_DELTA_GET_DAYS(delta) == 1 && PyDateTime_DELTA_GET_SECONDS(delta) == 1);
    PyObject *zone = PyTimeZone_FromOffset(delta);
    CHECK(zone == NULL);
    RAISED(PyExc_ValueError);
    Py_DECREF(delta);
    delta = PyDelta_FromDSU(0, 3600, 0);
    zone = PyTimeZone_FromOffset(delta);
    CHECK(zone != NULL && PyTZInfo_Check(zone) && !PyTZInfo_CheckExact(zone));
    PyObject *args = Py_BuildValue("(dO)", 86400.5, zone);
    when = PyDateTime_FromTimestamp(args);
    CHECK(when != NULL && PyDateTime_DATE_GET_HOUR(when) == 1 && PyDateTime_GET_DAY(when) == 2);
    CHECK(PyDateTime_DATE_GET_MICROSECOND(when) == 500000);
    Py_DECREF(when);
    Py_DECREF(args);
    Py_DECREF(zone);
    Py_DECREF(delta);
}

static void buffers(void)
{
    PyObject *bytes = PyBytes_FromString("memory");
    PyObject *buffer = PyPickleBuffer_FromObject(bytes);
    CHECK(buffer != NULL && PyPickleBuffer_Check(buffer));
    const Py_buffer *view = PyPickleBuffer_GetBuffer(buffer);
    CHECK(view != NULL && view->len == 6 && view->obj == bytes && memcmp(view->buf, "memory", 6) == 0);
    CHECK(PyPickleBuffer_Release(buffer) == 0 && PyPickleBuffer_Release(buffer) == 0);
    CHECK(PyPickleBuffer_GetBuffer(buffer) == NULL);
    RAISED(PyExc_ValueError);
    CHECK(PyPickleBuffer_FromObject(Py_None) == NULL);
    RAISED(PyExc_TypeError);
    Py_DECREF(buffer);
    Py_DECREF(bytes);
}

int main(void)
{
    begin();
    numbers();
    buffers();
    return end();
}
