/* Dates and times. Not part of Python.h; call PyDateTime_IMPORT before anything else here. */
#ifndef DATETIME_H
#define DATETIME_H

#include "Python.h"

#ifndef Py_LIMITED_API

#ifdef __cplusplus
extern "C" {
#endif

#define _PyDateTime_DATE_DATASIZE 4
#define _PyDateTime_TIME_DATASIZE 6
#define _PyDateTime_DATETIME_DATASIZE 10

typedef struct {
    PyObject_HEAD
    Py_hash_t hashcode;
    int days; /* -999999999 to 999999999 */
    int seconds; /* 0 to 86399 */
    int microseconds; /* 0 to 999999 */
} PyDateTime_Delta;

typedef struct {
    PyObject_HEAD
} PyDateTime_TZInfo;

/* The year in two bytes, the larger first; month; day. */
typedef struct {
    PyObject_HEAD
    Py_hash_t hashcode;
    char hastzinfo;
    unsigned char data[_PyDateTime_DATE_DATASIZE];
} PyDateTime_Date;

/* Hour, minute, second, and the microsecond in three bytes, the largest first. */
typedef struct {
    PyObject_HEAD
    Py_hash_t hashcode;
    char hastzinfo;
    unsigned char data[_PyDateTime_TIME_DATASIZE];
    unsigned char fold;
    PyObject *tzinfo; /* only if hastzinfo */
} PyDateTime_Time;

/* A date's bytes, then a time's. */
typedef struct {
    PyObject_HEAD
    Py_hash_t hashcode;
    char hastzinfo;
    unsigned char data[_PyDateTime_DATETIME_DATASIZE];
    unsigned char fold;
    PyObject *tzinfo; /* only if hastzinfo */
} PyDateTime_DateTime;

#define _PyDateTime_BYTE(o, type, i) (((type *)(o))->data[i])
#define _PyDateTime_MICRO(o, type, i)                                                                                  \
    ((_PyDateTime_BYTE(o, type, i) << 16) | (_PyDateTime_BYTE(o, type, (i) + 1) << 8) |                                \
     _PyDateTime_BYTE(o, type, (i) + 2))
#define _PyDateTime_TZINFO(o, type) (((type *)(o))->hastzinfo ? ((type *)(o))->tzinfo : Py_None)

/* Of dates, and so of datetimes. */
#define PyDateTime_GET_YEAR(o)                                                                                         \
    ((_PyDateTime_BYTE(o, PyDateTime_Date, 0) << 8) | _PyDateTime_BYTE(o, PyDateTime_Date, 1))
#define PyDateTime_GET_MONTH(o) _PyDateTime_BYTE(o, PyDateTime_Date, 2)
#define PyDateTime_GET_DAY(o) _PyDateTime_BYTE(o, PyDateTime_Date, 3)

/* Of datetimes. */
#define PyDateTime_DATE_GET_HOUR(o) _PyDateTime_BYTE(o, PyDateTime_DateTime, 4)
#define PyDateTime_DATE_GET_MINUTE(o) _PyDateTime_BYTE(o, PyDateTime_DateTime, 5)
#define PyDateTime_DATE_GET_SECOND(o) _PyDateTime_BYTE(o, PyDateTime_DateTime, 6)
#define PyDateTime_DATE_GET_MICROSECOND(o) _PyDateTime_MICRO(o, PyDateTime_DateTime, 7)
#define PyDateTime_DATE_GET_FOLD(o) (((PyDateTime_DateTime *)(o))->fold)
#define PyDateTime_DATE_GET_TZINFO(o) _PyDateTime_TZINFO(o, PyDateTime_DateTime)

/* Of times. */
#define PyDateTime_TIME_GET_HOUR(o) _PyDateTime_BYTE(o, PyDateTime_Time, 0)
#define PyDateTime_TIME_GET_MINUTE(o) _PyDateTime_BYTE(o, PyDateTime_Time, 1)
#define PyDateTime_TIME_GET_SECOND(o) _PyDateTime_BYTE(o, PyDateTime_Time, 2)
#define PyDateTime_TIME_GET_MICROSECOND(o) _PyDateTime_MICRO(o, PyDateTime_Time, 3)
#define PyDateTime_TIME_GET_FOLD(o) (((PyDateTime_Time *)(o))->fold)
#define PyDateTime_TIME_GET_TZINFO(o) _PyDateTime_TZINFO(o, PyDateTime_Time)

/* Of durations. */
#define PyDateTime_DELTA_GET_DAYS(o) (((PyDateTime_Delta *)(o))->days)
#define PyDateTime_DELTA_GET_SECONDS(o) (((PyDateTime_Delta *)(o))->seconds)
#define PyDateTime_DELTA_GET_MICROSECONDS(o) (((PyDateTime_Delta *)(o))->microseconds)

typedef struct {
    PyTypeObject *DateType;
    PyTypeObject *DateTimeType;
    PyTypeObject *TimeType;
    PyTypeObject *DeltaType;
    PyTypeObject *TZInfoType;
    PyObject *TimeZone_UTC;
    PyObject *(*Date_FromDate)(int, int, int, PyTypeObject *);
    PyObject *(*DateTime_FromDateAndTime)(int, int, int, int, int, int, int, PyObject *, PyTypeObject *);
    PyObject *(*Time_FromTime)(int, int, int, int, PyObject *, PyTypeObject *);
    PyObject *(*Delta_FromDelta)(int, int, int, int, PyTypeObject *);
    PyObject *(*TimeZone_FromTimeZone)(PyObject *offset, PyObject *name);
    PyObject *(*DateTime_FromTimestamp)(PyObject *, PyObject *, PyObject *);
    PyObject *(*Date_FromTimestamp)(PyObject *, PyObject *);
    PyObject *(*DateTime_FromDateAndTimeAndFold)(int, int, int, int, int, int, int, PyObject *, int, PyTypeObject *);
    PyObject *(*Time_FromTimeAndFold)(int, int, int, int, PyObject *, int, PyTypeObject *);
} PyDateTime_CAPI;

#define PyDateTime_CAPSULE_NAME "datetime.datetime_CAPI"

/* One for each file that includes this header; NULL until PyDateTime_IMPORT has succeeded. */
static PyDateTime_CAPI *PyDateTimeAPI = NULL;
/* Leaves NULL and an exception when the module cannot be imported. */
#define PyDateTime_IMPORT (PyDateTimeAPI = (PyDateTime_CAPI *)PyCapsule_Import(PyDateTime_CAPSULE_NAME, 0))

/* Borrowed, immortal. */
#define PyDateTime_TimeZone_UTC PyDateTimeAPI->TimeZone_UTC

#define PyDate_Check(op) PyObject_TypeCheck((op), PyDateTimeAPI->DateType)
#define PyDate_CheckExact(op) Py_IS_TYPE((op), PyDateTimeAPI->DateType)
#define PyDateTime_Check(op) PyObject_TypeCheck((op), PyDateTimeAPI->DateTimeType)
#define PyDateTime_CheckExact(op) Py_IS_TYPE((op), PyDateTimeAPI->DateTimeType)
#define PyTime_Check(op) PyObject_TypeCheck((op), PyDateTimeAPI->TimeType)
#define PyTime_CheckExact(op) Py_IS_TYPE((op), PyDateTimeAPI->TimeType)
#define PyDelta_Check(op) PyObject_TypeCheck((op), PyDateTimeAPI->DeltaType)
#define PyDelta_CheckExact(op) Py_IS_TYPE((op), PyDateTimeAPI->DeltaType)
#define PyTZInfo_Check(op) PyObject_TypeCheck((op), PyDateTimeAPI->TZInfoType)
#define PyTZInfo_CheckExact(op) Py_IS_TYPE((op), PyDateTimeAPI->TZInfoType)

/* New references; NULL with ValueError for numbers out of range. */
#define PyDate_FromDate(year, month, day) PyDateTimeAPI->Date_FromDate((year), (month), (day), PyDateTimeAPI->DateType)
#define PyDateTime_FromDateAndTime(year, month, day, hour, minute, second, usecond)                                    \
    PyDateTimeAPI->DateTime_FromDateAndTime((year), (month), (day), (hour), (minute), (second), (usecond), Py_None,    \
                                            PyDateTimeAPI->DateTimeType)
#define PyDateTime_FromDateAndTimeAndFold(year, month, day, hour, minute, second, usecond, fold)                       \
    PyDateTimeAPI->DateTime_FromDateAndTimeAndFold((year), (month), (day), (hour), (minute), (second), (usecond),      \
                                                   Py_None, (fold), PyDateTimeAPI->DateTimeType)
#define PyTime_FromTime(hour, minute, second, usecond)                                                                 \
    PyDateTimeAPI->Time_FromTime((hour), (minute), (second), (usecond), Py_None, PyDateTimeAPI->TimeType)
#define PyTime_FromTimeAndFold(hour, minute, second, usecond, fold)                                                    \
    PyDateTimeAPI->Time_FromTimeAndFold((hour), (minute), (second), (usecond), Py_None, (fold), PyDateTimeAPI->TimeType)
/* OverflowError for more days than 999999999. */
#define PyDelta_FromDSU(days, seconds, useconds)                                                                       \
    PyDateTimeAPI->Delta_FromDelta((days), (seconds), (useconds), 1, PyDateTimeAPI->DeltaType)
#define PyTimeZone_FromOffset(offset) PyDateTimeAPI->TimeZone_FromTimeZone((offset), NULL)
#define PyTimeZone_FromOffsetAndName(offset, name) PyDateTimeAPI->TimeZone_FromTimeZone((offset), (name))
/* args is a tuple with a timestamp and, for datetimes, a zone. */
#define PyDateTime_FromTimestamp(args)                                                                                 \
    PyDateTimeAPI->DateTime_FromTimestamp((PyObject *)(PyDateTimeAPI->DateTimeType), (args), NULL)
#define PyDate_FromTimestamp(args)                                                                                     \
    PyDateTimeAPI->Date_FromTimestamp((PyObject *)(PyDateTimeAPI->DateType), (args))

#ifdef __cplusplus
}
#endif
#endif /* Py_LIMITED_API */
#endif
