/* Clocks, in nanoseconds. Since 3.13. Not part of the limited API. */
#ifndef Py_PYTIME_H
#define Py_PYTIME_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
typedef int64_t PyTime_t;
#define PyTime_MIN INT64_MIN
#define PyTime_MAX INT64_MAX

/* The time since 1970; a clock that only goes forward; the one with the best resolution. -1 and OSError; *result is
   then 0. */
PyAPI_FUNC(int) PyTime_Time(PyTime_t *result);
PyAPI_FUNC(int) PyTime_Monotonic(PyTime_t *result);
PyAPI_FUNC(int) PyTime_PerfCounter(PyTime_t *result);
/* The same for any thread; no exception is set. */
PyAPI_FUNC(int) PyTime_TimeRaw(PyTime_t *result);
PyAPI_FUNC(int) PyTime_MonotonicRaw(PyTime_t *result);
PyAPI_FUNC(int) PyTime_PerfCounterRaw(PyTime_t *result);
/* In seconds. Any thread. Cannot fail. */
PyAPI_FUNC(double) PyTime_AsSecondsDouble(PyTime_t t);
#endif

#ifdef __cplusplus
}
#endif
#endif
