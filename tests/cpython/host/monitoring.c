/* The functions of `_testcapi` about monitoring events. A CodeLike (support/_testcapi.py) has its states and their version
 * in bytearrays. */
#define PY_SSIZE_T_CLEAN
#include "calls.h"

static PyMonitoringState *states(PyObject *codelike, const char *name, Py_ssize_t offset)
{
    PyObject *bytes = PyObject_GetAttrString(codelike, name);
    if (bytes == NULL)
        return NULL;
    PyMonitoringState *state = NULL;
    if (!PyByteArray_Check(bytes))
        PyErr_SetString(PyExc_TypeError, "expected a CodeLike");
    else if (offset < 0 || (offset + 1) * (Py_ssize_t)sizeof(PyMonitoringState) > PyByteArray_Size(bytes))
        PyErr_SetString(PyExc_ValueError, "no such place");
    else
        state = (PyMonitoringState *)PyByteArray_AsString(bytes) + offset;
    Py_DECREF(bytes); /* The CodeLike keeps it. */
    return state;
}

/* The tools that are left, when the event could be fired. */
static PyObject *outcome(int result, PyMonitoringState *state)
{
    return result < 0 ? NULL : PyLong_FromLong(state->active);
}

static PyObject *monitoring_enter_scope(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *codelike;
    int first, second = 0;
    if (!PyArg_ParseTuple(args, "Oi|i", &codelike, &first, &second))
        return NULL;
    PyMonitoringState *all = states(codelike, "states", 0), *version = states(codelike, "version", 0);
    if (all == NULL || version == NULL)
        return NULL;
    uint8_t events[] = {(uint8_t)first, (uint8_t)second};
    if (PyMonitoring_EnterScope(all, (uint64_t *)version, events, PyTuple_Size(args) - 1) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *monitoring_exit_scope(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing))
{
    if (PyMonitoring_ExitScope() < 0)
        return NULL;
    Py_RETURN_NONE;
}

#define FIRE(NAME, FORMAT, DECLARE, PARSE, EVENT, ...)                                                                  \
    static PyObject *NAME(PyObject *Py_UNUSED(module), PyObject *args)                                                  \
    {                                                                                                                   \
        PyObject *codelike;                                                                                             \
        int offset;                                                                                                     \
        DECLARE                                                                                                         \
        if (!PyArg_ParseTuple(args, "Oi" FORMAT, &codelike, &offset PARSE))                                             \
            return NULL;                                                                                                \
        PyMonitoringState *state = states(codelike, "states", offset);                                                  \
        if (state == NULL)                                                                                              \
            return NULL;                                                                                                \
        return outcome(EVENT(state, codelike, offset __VA_ARGS__), state);                                              \
    }
#define COMMA ,

FIRE(fire_event_py_start, "", , , PyMonitoring_FirePyStartEvent)
FIRE(fire_event_py_resume, "", , , PyMonitoring_FirePyResumeEvent)
FIRE(fire_event_py_return, "O", PyObject * value;, COMMA & value, PyMonitoring_FirePyReturnEvent, COMMA value)
FIRE(fire_event_py_yield, "O", PyObject * value;, COMMA & value, PyMonitoring_FirePyYieldEvent, COMMA value)
FIRE(fire_event_c_return, "O", PyObject * value;, COMMA & value, PyMonitoring_FireCReturnEvent, COMMA value)
FIRE(fire_event_stop_iteration, "O", PyObject * value;, COMMA & value, PyMonitoring_FireStopIterationEvent, COMMA value)
FIRE(fire_event_jump, "O", PyObject * value;, COMMA & value, PyMonitoring_FireJumpEvent, COMMA value)
FIRE(fire_event_branch, "O", PyObject * value;, COMMA & value, PyMonitoring_FireBranchEvent, COMMA value)
FIRE(fire_event_line, "i", int value;, COMMA & value, PyMonitoring_FireLineEvent, COMMA value)
FIRE(fire_event_call, "OO", PyObject * callable COMMA *argument;, COMMA & callable COMMA & argument,
     PyMonitoring_FireCallEvent, COMMA callable COMMA argument)

/* Events about an exception: it is set for the time, or none is. */
static PyObject *fire_exception(PyObject *args, int (*fire)(PyMonitoringState *, PyObject *, int32_t))
{
    PyObject *codelike, *error;
    int offset;
    if (!PyArg_ParseTuple(args, "OiO", &codelike, &offset, &error))
        return NULL;
    PyMonitoringState *state = states(codelike, "states", offset);
    if (state == NULL)
        return NULL;
    if (error != Py_None)
        PyErr_SetRaisedException(Py_NewRef(error));
    int result = fire(state, codelike, offset);
    if (result == 0)
        PyErr_Clear();
    return outcome(result, state);
}

#define FIRE_EXCEPTION(NAME, EVENT)                                                                                     \
    static PyObject *NAME(PyObject *Py_UNUSED(module), PyObject *args)                                                  \
    {                                                                                                                   \
        return fire_exception(args, EVENT);                                                                             \
    }

FIRE_EXCEPTION(fire_event_py_throw, PyMonitoring_FirePyThrowEvent)
FIRE_EXCEPTION(fire_event_raise, PyMonitoring_FireRaiseEvent)
FIRE_EXCEPTION(fire_event_c_raise, PyMonitoring_FireCRaiseEvent)
FIRE_EXCEPTION(fire_event_reraise, PyMonitoring_FireReraiseEvent)
FIRE_EXCEPTION(fire_event_exception_handled, PyMonitoring_FireExceptionHandledEvent)
FIRE_EXCEPTION(fire_event_py_unwind, PyMonitoring_FirePyUnwindEvent)

PyMethodDef monitoring_methods[] = {
    {"monitoring_enter_scope", monitoring_enter_scope, METH_VARARGS, NULL},
    {"monitoring_exit_scope", monitoring_exit_scope, METH_NOARGS, NULL},
    {"fire_event_py_start", fire_event_py_start, METH_VARARGS, NULL},
    {"fire_event_py_resume", fire_event_py_resume, METH_VARARGS, NULL},
    {"fire_event_py_return", fire_event_py_return, METH_VARARGS, NULL},
    {"fire_event_py_yield", fire_event_py_yield, METH_VARARGS, NULL},
    {"fire_event_c_return", fire_event_c_return, METH_VARARGS, NULL},
    {"fire_event_stop_iteration", fire_event_stop_iteration, METH_VARARGS, NULL},
    {"fire_event_jump", fire_event_jump, METH_VARARGS, NULL},
    {"fire_event_branch", fire_event_branch, METH_VARARGS, NULL},
    {"fire_event_line", fire_event_line, METH_VARARGS, NULL},
    {"fire_event_call", fire_event_call, METH_VARARGS, NULL},
    {"fire_event_py_throw", fire_event_py_throw, METH_VARARGS, NULL},
    {"fire_event_raise", fire_event_raise, METH_VARARGS, NULL},
    {"fire_event_c_raise", fire_event_c_raise, METH_VARARGS, NULL},
    {"fire_event_reraise", fire_event_reraise, METH_VARARGS, NULL},
    {"fire_event_exception_handled", fire_event_exception_handled, METH_VARARGS, NULL},
    {"fire_event_py_unwind", fire_event_py_unwind, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
