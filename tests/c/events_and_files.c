/* Monitoring events of code that is no Python code; marshal's form in streams; variables of frames, and code objects that
   only raise. */
#include "check.h"
#include <marshal.h>

static long number(const char *expression)
{
    PyObject *names = PyModule_GetDict(PyImport_AddModule("__main__"));
    PyObject *value = PyRun_String(expression, Py_eval_input, names, names);
    CHECK(value != NULL);
    long result = PyLong_AsLong(value);
    Py_DECREF(value);
    CHECK(!PyErr_Occurred());
    return result;
}

static void events(void)
{
    CHECK(PyRun_SimpleString("import sys\n"
                             "m, told = sys.monitoring, []\n"
                             "m.use_tool_id(1, 'tool')\n"
                             "def tell(*args):\n"
                             "  if args[0] is ...:\n" /* And not this code itself. */
                             "    told.append(args)\n"
                             "    return answer\n"
                             "m.register_callback(1, m.events.PY_RETURN, tell)\n"
                             "m.register_callback(1, m.events.RAISE, tell)\n"
                             "m.set_events(1, m.events.PY_RETURN | m.events.RAISE)\n"
                             "answer = None\n") == 0);
    const uint8_t wanted[] = {PY_MONITORING_EVENT_PY_RETURN, PY_MONITORING_EVENT_RAISE, PY_MONITORING_EVENT_PY_YIELD};
    PyMonitoringState states[3] = {{0, 0}, {0, 0}, {0, 0}};
    uint64_t version = 0;
    CHECK(PyMonitoring_EnterScope(states, &version, wanted, 3) == 0);
    CHECK(states[0].active && states[1].active && !states[2].active);
    CHECK(PyMonitoring_FirePyReturnEvent(&states[0], Py_Ellipsis, 10, Py_True) == 0);
    CHECK(number("told == [(..., 10, True)]"));
    CHECK(PyMonitoring_FirePyReturnEvent(&states[0], Py_Ellipsis, -1, Py_True) == -1);
    RAISED(PyExc_ValueError);
    /* Nobody wants it: not even the offset is looked at. */
    CHECK(PyMonitoring_FirePyYieldEvent(&states[2], Py_Ellipsis, -1, Py_True) == 0);
    CHECK(PyMonitoring_FireRaiseEvent(&states[1], Py_Ellipsis, 0) == -1);
    RAISED(PyExc_ValueError);
    PyErr_SetString(PyExc_KeyError, "key");
    CHECK(PyMonitoring_FireRaiseEvent(&states[1], Py_Ellipsis, 0) == 0);
    RAISED(PyExc_KeyError);
    CHECK(number("len(told) == 2 and type(told[1][2]) is KeyError"));
    /* Switched off where it was fired, and only there. */
    CHECK(PyRun_SimpleString("answer = m.DISABLE\n") == 0);
    CHECK(PyMonitoring_FirePyReturnEvent(&states[0], Py_Ellipsis, 1, Py_True) == 0 && !states[0].active);
    PyErr_SetString(PyExc_KeyError, "key");
    CHECK(PyMonitoring_FireRaiseEvent(&states[1], Py_Ellipsis, 0) == -1);
    RAISED(PyExc_ValueError);
    CHECK(PyMonitoring_ExitScope() == 0);
    /* Nothing has changed: the states stay. */
    CHECK(PyMonitoring_EnterScope(states, &version, wanted, 3) == 0 && !states[0].active);
    CHECK(PyRun_SimpleString("m.restart_events()\n") == 0);
    CHECK(PyMonitoring_EnterScope(states, &version, wanted, 3) == 0 && states[0].active);
    CHECK(PyRun_SimpleString("m.free_tool_id(1)\ntold.clear()\n") == 0);
}

static void files(void)
{
    FILE *file = tmpfile();
    CHECK(file != NULL);
    PyObject *object = Py_BuildValue("(s[idO])", "text", 70000, 0.5, Py_None);
    CHECK(object != NULL);
    PyMarshal_WriteLongToFile(-3, file, Py_MARSHAL_VERSION);
    PyMarshal_WriteObjectToFile(object, file, Py_MARSHAL_VERSION);
    PyMarshal_WriteLongToFile(0x20001, file, Py_MARSHAL_VERSION);
    CHECK(!PyErr_Occurred());
    rewind(file);
    CHECK(PyMarshal_ReadLongFromFile(file) == -3 && !PyErr_Occurred());
    PyObject *read = PyMarshal_ReadObjectFromFile(file);
    CHECK(read != NULL && PyObject_RichCompareBool(read, object, Py_EQ) == 1);
    Py_DECREF(read);
    CHECK(PyMarshal_ReadShortFromFile(file) == 1 && PyMarshal_ReadShortFromFile(file) == 2);
    CHECK(PyMarshal_ReadLongFromFile(file) == -1);
    RAISED(PyExc_EOFError);
    CHECK(fseek(file, 4, SEEK_SET) == 0);
    read = PyMarshal_ReadLastObjectFromFile(file);
    CHECK(read != NULL && PyObject_RichCompareBool(read, object, Py_EQ) == 1);
    Py_DECREF(read);
    Py_DECREF(object);
    fclose(file);
}

static PyObject *look(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(nothing))
{
    PyFrameObject *frame = PyEval_GetFrame();
    CHECK(frame != NULL && PyFrame_GetGenerator(frame) == NULL && !PyErr_Occurred());
    PyObject *value = PyFrame_GetVarString(frame, "variable");
    CHECK(value != NULL && PyLong_AsLong(value) == 7);
    Py_DECREF(value);
    CHECK(PyFrame_GetVarString(frame, "nothing") == NULL);
    RAISED(PyExc_NameError);
    CHECK(PyFrame_GetVar(frame, Py_None) == NULL);
    RAISED(PyExc_TypeError);
    Py_RETURN_NONE;
}

static PyMethodDef look_method = {"look", look, METH_NOARGS, NULL};

static void frames(void)
{
    PyObject *function = PyCFunction_NewEx(&look_method, NULL, NULL);
    CHECK(function != NULL);
    PyObject *names = PyModule_GetDict(PyImport_AddModule("__main__"));
    CHECK(PyDict_SetItemString(names, "look", function) == 0);
    Py_DECREF(function);
    CHECK(PyRun_SimpleString("def f():\n  variable = 7\n  look()\nf()\ndel look, f\n") == 0);
    PyObject *code = (PyObject *)PyCode_NewEmpty("a file", "a function", 12);
    CHECK(code != NULL && PyCode_Check(code));
    CHECK(PyEval_EvalCode(code, names, names) == NULL);
    RAISED(PyExc_AssertionError);
    Py_DECREF(code);
    /* A type has one version until it changes. */
    CHECK(PyRun_SimpleString("class C: pass\n") == 0);
    PyTypeObject *type = (PyTypeObject *)PyDict_GetItemString(names, "C");
    CHECK(PyUnstable_Type_AssignVersionTag(type) == 1);
    unsigned int version = type->tp_version_tag;
    CHECK(version != 0 && PyUnstable_Type_AssignVersionTag(type) == 1 && type->tp_version_tag == version);
    CHECK(PyRun_SimpleString("C.x = 1\n") == 0 && type->tp_version_tag != version);
}

int main(void)
{
    begin();
    events();
    files();
    frames();
    return end();
}
