/* `_testcapi`: calls by every convention, from C and into C. */
#define PY_SSIZE_T_CLEAN
#include "calls.h"

/* What a function got: its self and its arguments. */

static PyObject *or_none(PyObject *self)
{
    return self != NULL ? self : Py_None;
}

static PyObject *tuple_of(PyObject *const *args, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple != NULL && i < count; i++)
        PyTuple_SetItem(tuple, i, Py_NewRef(args[i]));
    return tuple;
}

static PyObject *meth_varargs(PyObject *self, PyObject *args)
{
    return Py_BuildValue("OO", or_none(self), args);
}

static PyObject *meth_varargs_keywords(PyObject *self, PyObject *args, PyObject *keywords)
{
    return Py_BuildValue("OOO", or_none(self), args, or_none(keywords));
}

static PyObject *meth_o(PyObject *self, PyObject *argument)
{
    return Py_BuildValue("OO", or_none(self), argument);
}

static PyObject *meth_noargs(PyObject *self, PyObject *Py_UNUSED(nothing))
{
    return Py_NewRef(or_none(self));
}

static PyObject *meth_fastcall(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    return Py_BuildValue("ON", or_none(self), tuple_of(args, count));
}

static PyObject *meth_fastcall_keywords(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *keywords = NULL;
    if (names != NULL) {
        keywords = PyDict_New();
        for (Py_ssize_t i = 0; keywords != NULL && i < PyTuple_Size(names); i++) {
            if (PyDict_SetItem(keywords, PyTuple_GetItem(names, i), args[count + i]) < 0)
                Py_CLEAR(keywords);
        }
        if (keywords == NULL)
            return NULL;
    }
    PyObject *result = Py_BuildValue("ONO", or_none(self), tuple_of(args, count), or_none(keywords));
    Py_XDECREF(keywords);
    return result;
}

#define CONVENTIONS(more) \
    {"meth_varargs", meth_varargs, METH_VARARGS | (more), NULL}, \
    {"meth_varargs_keywords", _PyCFunction_CAST(meth_varargs_keywords), METH_VARARGS | METH_KEYWORDS | (more), NULL}, \
    {"meth_o", meth_o, METH_O | (more), NULL}, \
    {"meth_noargs", meth_noargs, METH_NOARGS | (more), NULL}, \
    {"meth_fastcall", _PyCFunction_CAST(meth_fastcall), METH_FASTCALL | (more), NULL}, \
    {"meth_fastcall_keywords", _PyCFunction_CAST(meth_fastcall_keywords), METH_FASTCALL | METH_KEYWORDS | (more), NULL}

/* bound(object): a dictionary of the functions above with `object` as their self, or with none at all. */
static PyMethodDef conventions[] = {CONVENTIONS(0), {NULL, NULL, 0, NULL}};
static PyMethodDef static_conventions[] = {CONVENTIONS(METH_STATIC), {NULL, NULL, 0, NULL}};

static PyObject *bound(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *self = NULL;
    if (!PyArg_ParseTuple(args, "|O", &self))
        return NULL;
    PyObject *functions = PyDict_New();
    PyMethodDef *def = self != NULL ? conventions : static_conventions;
    for (; functions != NULL && def->ml_name != NULL; def++) {
        PyObject *function = PyCFunction_NewEx(def, self, NULL);
        if (function == NULL || PyDict_SetItemString(functions, def->ml_name, function) < 0)
            Py_CLEAR(functions);
        Py_XDECREF(function);
    }
    return functions;
}

/* Calls from C. */

/* The items of a tuple, or none for None. */
static int items_of(PyObject *tuple, PyObject ***items, Py_ssize_t *count)
{
    *items = NULL;
    *count = 0;
    if (tuple == Py_None)
        return 0;
    if (!PyTuple_Check(tuple)) {
        PyErr_SetString(PyExc_TypeError, "a tuple or None is expected");
        return -1;
    }
    *count = PyTuple_Size(tuple);
    *items = ((PyTupleObject *)tuple)->ob_item;
    return 0;
}

static PyObject *pyobject_fastcalldict(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *callable, *arguments, *keywords, **items;
    Py_ssize_t count;
    if (!PyArg_ParseTuple(args, "OOO", &callable, &arguments, &keywords) || items_of(arguments, &items, &count) < 0)
        return NULL;
    return PyObject_VectorcallDict(callable, items, (size_t)count, keywords == Py_None ? NULL : keywords);
}

static PyObject *pyobject_vectorcall(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *callable, *arguments, *names, **items;
    Py_ssize_t count;
    if (!PyArg_ParseTuple(args, "OOO", &callable, &arguments, &names) || items_of(arguments, &items, &count) < 0)
        return NULL;
    if (names == Py_None) {
        names = NULL;
    } else if (!PyTuple_Check(names) || PyTuple_Size(names) > count) {
        PyErr_SetString(PyExc_TypeError, "kwnames must be a tuple with no more items than args, or None");
        return NULL;
    } else {
        count -= PyTuple_Size(names);
    }
    return PyObject_Vectorcall(callable, items, (size_t)count, names);
}

static PyObject *pyvectorcall_call(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *callable, *arguments, *keywords = NULL;
    if (!PyArg_ParseTuple(args, "OO!|O!", &callable, &PyTuple_Type, &arguments, &PyDict_Type, &keywords))
        return NULL;
    return PyVectorcall_Call(callable, arguments, keywords);
}

static PyObject *pycfunction_call(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *callable, *arguments, *keywords = NULL;
    if (!PyArg_ParseTuple(args, "OO!|O!", &callable, &PyTuple_Type, &arguments, &PyDict_Type, &keywords))
        return NULL;
    return PyObject_Call(callable, arguments, keywords);
}

static PyObject *has_vectorcall_flag(PyObject *Py_UNUSED(module), PyObject *type)
{
    if (!PyType_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "a type is expected");
        return NULL;
    }
    return PyBool_FromLong(PyType_HasFeature((PyTypeObject *)type, Py_TPFLAGS_HAVE_VECTORCALL));
}

/* A `__get__` that gives its own type a call while it is on the way. */
static PyObject *bad_get(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "bad_get requires exactly 3 arguments");
        return NULL;
    }
    PyObject *made = PyObject_CallNoArgs(args[2]);
    if (made == NULL)
        return NULL;
    Py_DECREF(made);
    return PyUnicode_FromString("this is a test");
}

PyMethodDef call_methods[] = {
    CONVENTIONS(0),
    {"bound", bound, METH_VARARGS, NULL},
    {"pyobject_fastcalldict", pyobject_fastcalldict, METH_VARARGS, NULL},
    {"pyobject_vectorcall", pyobject_vectorcall, METH_VARARGS, NULL},
    {"pyvectorcall_call", pyvectorcall_call, METH_VARARGS, NULL},
    {"pycfunction_call", pycfunction_call, METH_VARARGS, NULL},
    {"has_vectorcall_flag", has_vectorcall_flag, METH_O, NULL},
    {"bad_get", _PyCFunction_CAST(bad_get), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
