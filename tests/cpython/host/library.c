/* What the tests of the library take from `_testcapi`: dates by their capsule, threads that are none of Python's,
 * interpreters, and the end of the process. A module of its own, `_hosttestlibrary`, from which support/_testcapi.py takes its names.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <datetime.h>
#include <pthread.h>
#include <unistd.h>

PyObject *init_testlibrary(void);

/* Dates. */

static PyObject *test_datetime_capi(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing))
{
    PyDateTime_IMPORT;
    if (PyDateTimeAPI == NULL)
        return NULL;
    /* The types of the capsule are those of the module. */
    PyObject *types = PyImport_ImportModule("datetime");
    if (types == NULL)
        return NULL;
    const struct {
        const char *name;
        PyTypeObject *type;
    } expected[] = {
        {"date", PyDateTimeAPI->DateType},     {"datetime", PyDateTimeAPI->DateTimeType},
        {"time", PyDateTimeAPI->TimeType},     {"timedelta", PyDateTimeAPI->DeltaType},
        {"tzinfo", PyDateTimeAPI->TZInfoType},
    };
    int same = 1;
    for (size_t i = 0; same && i < sizeof expected / sizeof *expected; i++) {
        PyObject *found = PyObject_GetAttrString(types, expected[i].name);
        if (found == NULL) {
            Py_DECREF(types);
            return NULL;
        }
        same = found == (PyObject *)expected[i].type;
        Py_DECREF(found);
    }
    Py_DECREF(types);
    if (!same) {
        PyErr_SetString(PyExc_AssertionError, "the capsule has other types than the module");
        return NULL;
    }
    Py_RETURN_NONE;
}

#define CHECK(function, kind)                                                                                          \
    static PyObject *function(PyObject *Py_UNUSED(module), PyObject *args)                                             \
    {                                                                                                                  \
        PyObject *object;                                                                                              \
        int exact = 0;                                                                                                 \
        if (!PyArg_ParseTuple(args, "O|p", &object, &exact))                                                           \
            return NULL;                                                                                               \
        return PyBool_FromLong(exact ? kind##_CheckExact(object) : kind##_Check(object));                              \
    }

CHECK(datetime_check_date, PyDate)
CHECK(datetime_check_time, PyTime)
CHECK(datetime_check_datetime, PyDateTime)
CHECK(datetime_check_delta, PyDelta)
CHECK(datetime_check_tzinfo, PyTZInfo)

/* A macro's result beside that of the function behind it, by whether the macro is asked for. */

static PyObject *get_date_fromdate(PyObject *Py_UNUSED(module), PyObject *args)
{
    int macro, year, month, day;
    if (!PyArg_ParseTuple(args, "piii", &macro, &year, &month, &day))
        return NULL;
    return macro ? PyDate_FromDate(year, month, day)
                 : PyDateTimeAPI->Date_FromDate(year, month, day, PyDateTimeAPI->DateType);
}

static PyObject *get_datetime_fromdateandtime(PyObject *Py_UNUSED(module), PyObject *args)
{
    int macro, year, month, day, hour, minute, second, micro;
    if (!PyArg_ParseTuple(args, "piiiiiii", &macro, &year, &month, &day, &hour, &minute, &second, &micro))
        return NULL;
    return macro ? PyDateTime_FromDateAndTime(year, month, day, hour, minute, second, micro)
                 : PyDateTimeAPI->DateTime_FromDateAndTime(year, month, day, hour, minute, second, micro, Py_None,
                                                           PyDateTimeAPI->DateTimeType);
}

static PyObject *get_datetime_fromdateandtimeandfold(PyObject *Py_UNUSED(module), PyObject *args)
{
    int macro, year, month, day, hour, minute, second, micro, fold;
    if (!PyArg_ParseTuple(args, "piiiiiiii", &macro, &year, &month, &day, &hour, &minute, &second, &micro, &fold))
        return NULL;
    return macro ? PyDateTime_FromDateAndTimeAndFold(year, month, day, hour, minute, second, micro, fold)
                 : PyDateTimeAPI->DateTime_FromDateAndTimeAndFold(year, month, day, hour, minute, second, micro, Py_None,
                                                                  fold, PyDateTimeAPI->DateTimeType);
}

static PyObject *get_time_fromtime(PyObject *Py_UNUSED(module), PyObject *args)
{
    int macro, hour, minute, second, micro;
    if (!PyArg_ParseTuple(args, "piiii", &macro, &hour, &minute, &second, &micro))
        return NULL;
    return macro ? PyTime_FromTime(hour, minute, second, micro)
                 : PyDateTimeAPI->Time_FromTime(hour, minute, second, micro, Py_None, PyDateTimeAPI->TimeType);
}

static PyObject *get_time_fromtimeandfold(PyObject *Py_UNUSED(module), PyObject *args)
{
    int macro, hour, minute, second, micro, fold;
    if (!PyArg_ParseTuple(args, "piiiii", &macro, &hour, &minute, &second, &micro, &fold))
        return NULL;
    return macro ? PyTime_FromTimeAndFold(hour, minute, second, micro, fold)
                 : PyDateTimeAPI->Time_FromTimeAndFold(hour, minute, second, micro, Py_None, fold,
                                                       PyDateTimeAPI->TimeType);
}

static PyObject *get_delta_fromdsu(PyObject *Py_UNUSED(module), PyObject *args)
{
    int macro, days, seconds, micro;
    if (!PyArg_ParseTuple(args, "piii", &macro, &days, &seconds, &micro))
        return NULL;
    return macro ? PyDelta_FromDSU(days, seconds, micro)
                 : PyDateTimeAPI->Delta_FromDelta(days, seconds, micro, 1, PyDateTimeAPI->DeltaType);
}

static PyObject *get_date_fromtimestamp(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *stamp;
    int macro = 0;
    if (!PyArg_ParseTuple(args, "O|p", &stamp, &macro))
        return NULL;
    PyObject *given = PyTuple_Pack(1, stamp);
    if (given == NULL)
        return NULL;
    PyObject *date = macro ? PyDate_FromTimestamp(given)
                           : PyDateTimeAPI->Date_FromTimestamp((PyObject *)PyDateTimeAPI->DateType, given);
    Py_DECREF(given);
    return date;
}

static PyObject *get_datetime_fromtimestamp(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *stamp, *zone;
    int with_zone = 0, macro = 0;
    if (!PyArg_ParseTuple(args, "OO|pp", &stamp, &zone, &with_zone, &macro))
        return NULL;
    PyObject *given = with_zone ? PyTuple_Pack(2, stamp, zone) : PyTuple_Pack(1, stamp);
    if (given == NULL)
        return NULL;
    PyObject *moment = macro ? PyDateTime_FromTimestamp(given)
                             : PyDateTimeAPI->DateTime_FromTimestamp((PyObject *)PyDateTimeAPI->DateTimeType, given, NULL);
    Py_DECREF(given);
    return moment;
}

static PyObject *get_timezone_utc_capi(PyObject *Py_UNUSED(module), PyObject *args)
{
    int macro = 0;
    if (!PyArg_ParseTuple(args, "|p", &macro))
        return NULL;
    return Py_NewRef(macro ? PyDateTime_TimeZone_UTC : PyDateTimeAPI->TimeZone_UTC);
}

static PyObject *zone_of(int hours, const char *name)
{
    PyObject *offset = PyDelta_FromDSU(0, hours * 3600, 0);
    PyObject *text = name == NULL ? NULL : PyUnicode_FromString(name);
    PyObject *zone = NULL;
    if (offset != NULL && (name == NULL || text != NULL))
        zone = name == NULL ? PyTimeZone_FromOffset(offset) : PyTimeZone_FromOffsetAndName(offset, text);
    Py_XDECREF(offset);
    Py_XDECREF(text);
    return zone;
}

static PyObject *three(PyObject *first, PyObject *second, PyObject *third)
{
    PyObject *all = first && second && third ? PyTuple_Pack(3, first, second, third) : NULL;
    Py_XDECREF(first);
    Py_XDECREF(second);
    Py_XDECREF(third);
    return all;
}

static PyObject *make_timezones_capi(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing))
{
    PyObject *offset = PyDelta_FromDSU(0, -5 * 3600, 0), *name = PyUnicode_FromString("EST"), *by_function = NULL;
    if (offset != NULL && name != NULL)
        by_function = PyDateTimeAPI->TimeZone_FromTimeZone(offset, name);
    Py_XDECREF(offset);
    Py_XDECREF(name);
    return three(by_function, zone_of(-5, "EST"), zone_of(-5, NULL));
}

static PyObject *get_timezones_offset_zero(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing))
{
    PyObject *offset = PyDelta_FromDSU(0, 0, 0), *by_function = NULL;
    if (offset != NULL)
        by_function = PyDateTimeAPI->TimeZone_FromTimeZone(offset, NULL);
    Py_XDECREF(offset);
    return three(zone_of(0, NULL), by_function, zone_of(0, ""));
}

static PyObject *get_date(PyObject *Py_UNUSED(module), PyObject *date)
{
    return Py_BuildValue("(iii)", PyDateTime_GET_YEAR(date), PyDateTime_GET_MONTH(date), PyDateTime_GET_DAY(date));
}

static PyObject *get_moment(PyObject *Py_UNUSED(module), PyObject *moment)
{
    return Py_BuildValue("(iiiiO)", PyDateTime_DATE_GET_HOUR(moment), PyDateTime_DATE_GET_MINUTE(moment),
                         PyDateTime_DATE_GET_SECOND(moment), PyDateTime_DATE_GET_MICROSECOND(moment),
                         PyDateTime_DATE_GET_TZINFO(moment));
}

static PyObject *get_time(PyObject *Py_UNUSED(module), PyObject *time)
{
    return Py_BuildValue("(iiiiO)", PyDateTime_TIME_GET_HOUR(time), PyDateTime_TIME_GET_MINUTE(time),
                         PyDateTime_TIME_GET_SECOND(time), PyDateTime_TIME_GET_MICROSECOND(time),
                         PyDateTime_TIME_GET_TZINFO(time));
}

static PyObject *get_delta(PyObject *Py_UNUSED(module), PyObject *delta)
{
    return Py_BuildValue("(iii)", PyDateTime_DELTA_GET_DAYS(delta), PyDateTime_DELTA_GET_SECONDS(delta),
                         PyDateTime_DELTA_GET_MICROSECONDS(delta));
}

/* Threads. */

static pthread_t waiter;
static int waiter_pipe[2];

static void *wait_for_pipe(void *Py_UNUSED(nothing))
{
    char byte;
    while (read(waiter_pipe[0], &byte, 1) < 0)
        ;
    return NULL;
}

static PyObject *spawn_pthread_waiter(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing))
{
    if (pipe(waiter_pipe) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    errno = pthread_create(&waiter, NULL, wait_for_pipe, NULL);
    if (errno != 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

static PyObject *end_spawned_pthread(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing))
{
    close(waiter_pipe[1]);
    pthread_join(waiter, NULL);
    close(waiter_pipe[0]);
    Py_RETURN_NONE;
}

static pthread_t caller;

static void *call_there(void *callback)
{
    PyGILState_STATE state = PyGILState_Ensure();
    PyObject *result = PyObject_CallNoArgs(callback);
    if (result == NULL)
        PyErr_WriteUnraisable(callback);
    Py_XDECREF(result);
    Py_DECREF((PyObject *)callback);
    PyGILState_Release(state);
    return NULL;
}

static PyObject *join_temporary_c_thread(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing))
{
    Py_BEGIN_ALLOW_THREADS
    pthread_join(caller, NULL);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *call_in_temporary_c_thread(PyObject *module, PyObject *args)
{
    PyObject *callback;
    int wait = 1;
    if (!PyArg_ParseTuple(args, "O|i", &callback, &wait))
        return NULL;
    errno = pthread_create(&caller, NULL, call_there, Py_NewRef(callback));
    if (errno != 0) {
        Py_DECREF(callback);
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    if (wait)
        return join_temporary_c_thread(module, NULL);
    Py_RETURN_NONE;
}

/* Interpreters. */

static int read_config(PyObject *given, PyInterpreterConfig *config)
{
    const struct {
        const char *name;
        int *place;
    } switches[] = {
        {"use_main_obmalloc", &config->use_main_obmalloc},
        {"allow_fork", &config->allow_fork},
        {"allow_exec", &config->allow_exec},
        {"allow_threads", &config->allow_threads},
        {"allow_daemon_threads", &config->allow_daemon_threads},
        {"check_multi_interp_extensions", &config->check_multi_interp_extensions},
    };
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
        PyObject *value = PyObject_GetAttrString(given, switches[i].name);
        if (value == NULL)
            return -1;
        *switches[i].place = PyObject_IsTrue(value);
        Py_DECREF(value);
    }
    PyObject *gil = PyObject_GetAttrString(given, "gil");
    if (gil == NULL)
        return -1;
    int result = 0;
    if (PyUnicode_Check(gil)) {
        if (PyUnicode_CompareWithASCIIString(gil, "own") == 0)
            config->gil = PyInterpreterConfig_OWN_GIL;
        else if (PyUnicode_CompareWithASCIIString(gil, "shared") == 0)
            config->gil = PyInterpreterConfig_SHARED_GIL;
        else
            config->gil = PyInterpreterConfig_DEFAULT_GIL;
    } else {
        config->gil = (int)PyLong_AsLong(gil);
        result = PyErr_Occurred() ? -1 : 0;
    }
    Py_DECREF(gil);
    return result;
}

static PyObject *run_in_subinterp_with_config(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *code;
    PyObject *given;
    PyInterpreterConfig config;
    PyThreadState *there = NULL;
    if (!PyArg_ParseTuple(args, "sO", &code, &given) || read_config(given, &config) < 0)
        return NULL;
    PyThreadState *here = PyThreadState_Get();
    PyStatus status = Py_NewInterpreterFromConfig(&there, &config);
    if (PyStatus_Exception(status)) {
        PyThreadState_Swap(here);
        PyErr_Format(PyExc_RuntimeError, "sub-interpreter creation failed: %s", status.err_msg);
        return NULL;
    }
    int result = PyRun_SimpleString(code);
    Py_EndInterpreter(there);
    PyThreadState_Swap(here);
    return PyLong_FromLong(result);
}

/* The end. The name of the function is in the message. */

static void _testcapi_fatal_error_impl(const char *message, int release_gil)
{
    if (release_gil)
        PyEval_SaveThread();
    Py_FatalError(message);
}

static PyObject *fatal_error(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *message;
    int release_gil = 0;
    if (!PyArg_ParseTuple(args, "y|i", &message, &release_gil))
        return NULL;
    _testcapi_fatal_error_impl(message, release_gil);
    return NULL;
}

static PyMethodDef methods[] = {
    {"test_datetime_capi", test_datetime_capi, METH_NOARGS, NULL},
    {"datetime_check_date", datetime_check_date, METH_VARARGS, NULL},
    {"datetime_check_time", datetime_check_time, METH_VARARGS, NULL},
    {"datetime_check_datetime", datetime_check_datetime, METH_VARARGS, NULL},
    {"datetime_check_delta", datetime_check_delta, METH_VARARGS, NULL},
    {"datetime_check_tzinfo", datetime_check_tzinfo, METH_VARARGS, NULL},
    {"get_date_fromdate", get_date_fromdate, METH_VARARGS, NULL},
    {"get_datetime_fromdateandtime", get_datetime_fromdateandtime, METH_VARARGS, NULL},
    {"get_datetime_fromdateandtimeandfold", get_datetime_fromdateandtimeandfold, METH_VARARGS, NULL},
    {"get_time_fromtime", get_time_fromtime, METH_VARARGS, NULL},
    {"get_time_fromtimeandfold", get_time_fromtimeandfold, METH_VARARGS, NULL},
    {"get_delta_fromdsu", get_delta_fromdsu, METH_VARARGS, NULL},
    {"get_date_fromtimestamp", get_date_fromtimestamp, METH_VARARGS, NULL},
    {"get_datetime_fromtimestamp", get_datetime_fromtimestamp, METH_VARARGS, NULL},
    {"get_timezone_utc_capi", get_timezone_utc_capi, METH_VARARGS, NULL},
    {"make_timezones_capi", make_timezones_capi, METH_NOARGS, NULL},
    {"get_timezones_offset_zero", get_timezones_offset_zero, METH_NOARGS, NULL},
    {"PyDateTime_GET", get_date, METH_O, NULL},
    {"PyDateTime_DATE_GET", get_moment, METH_O, NULL},
    {"PyDateTime_TIME_GET", get_time, METH_O, NULL},
    {"PyDateTime_DELTA_GET", get_delta, METH_O, NULL},
    {"_spawn_pthread_waiter", spawn_pthread_waiter, METH_NOARGS, NULL},
    {"_end_spawned_pthread", end_spawned_pthread, METH_NOARGS, NULL},
    {"call_in_temporary_c_thread", call_in_temporary_c_thread, METH_VARARGS, NULL},
    {"join_temporary_c_thread", join_temporary_c_thread, METH_NOARGS, NULL},
    {"run_in_subinterp_with_config", run_in_subinterp_with_config, METH_VARARGS, NULL},
    {"fatal_error", fatal_error, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "_hosttestlibrary", .m_size = -1, .m_methods = methods,
};

PyObject *init_testlibrary(void)
{
    return PyModule_Create(&module);
}
