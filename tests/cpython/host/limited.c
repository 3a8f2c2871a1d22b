/* `_testlimitedcapi`: what can be done with the stable ABI alone. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *sequence_getitem(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *sequence;
    Py_ssize_t index;
    if (!PyArg_ParseTuple(args, "On", &sequence, &index))
        return NULL;
    return PySequence_GetItem(sequence, index);
}

static PyObject *sequence_setitem(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *sequence, *value;
    Py_ssize_t index;
    if (!PyArg_ParseTuple(args, "OnO", &sequence, &index, &value))
        return NULL;
    if (PySequence_SetItem(sequence, index, value) < 0)
        return NULL;
    return PyLong_FromLong(0);
}

static PyObject *sequence_delitem(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *sequence;
    Py_ssize_t index;
    if (!PyArg_ParseTuple(args, "On", &sequence, &index))
        return NULL;
    if (PySequence_DelItem(sequence, index) < 0)
        return NULL;
    return PyLong_FromLong(0);
}

static PyObject *object_hasattrstring(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *object;
    const char *name;
    if (!PyArg_ParseTuple(args, "Oy", &object, &name))
        return NULL;
    return PyLong_FromLong(PyObject_HasAttrString(object, name));
}

static PyObject *strings(const char *const *texts, int count)
{
    PyObject *tuple = PyTuple_New(count);
    for (int i = 0; tuple != NULL && i < count; i++) {
        PyObject *text = PyUnicode_FromString(texts[i]);
        if (text == NULL || PyTuple_SetItem(tuple, i, text) < 0)
            Py_CLEAR(tuple);
    }
    return tuple;
}

/* callable("foo", baz="bar") */
static PyObject *call_vectorcall(PyObject *Py_UNUSED(module), PyObject *callable)
{
    static const char *const values[] = {"foo", "bar"}, *const keys[] = {"baz"};
    PyObject *arguments = strings(values, 2), *names = strings(keys, 1), *result = NULL;
    if (arguments != NULL && names != NULL) {
        PyObject *stack[3] = {NULL, PyTuple_GetItem(arguments, 0), PyTuple_GetItem(arguments, 1)};
        result = PyObject_Vectorcall(callable, stack + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, names);
    }
    Py_XDECREF(arguments);
    Py_XDECREF(names);
    return result;
}

/* object.f("foo", baz="bar") */
static PyObject *call_vectorcall_method(PyObject *Py_UNUSED(module), PyObject *object)
{
    static const char *const values[] = {"foo", "bar", "f"}, *const keys[] = {"baz"};
    PyObject *arguments = strings(values, 3), *names = strings(keys, 1), *result = NULL;
    if (arguments != NULL && names != NULL) {
        PyObject *stack[4] = {NULL, object, PyTuple_GetItem(arguments, 0), PyTuple_GetItem(arguments, 1)};
        result = PyObject_VectorcallMethod(PyTuple_GetItem(arguments, 2), stack + 1,
                                           2 | PY_VECTORCALL_ARGUMENTS_OFFSET, names);
    }
    Py_XDECREF(arguments);
    Py_XDECREF(names);
    return result;
}

static PyMethodDef methods[] = {
    {"sequence_getitem", sequence_getitem, METH_VARARGS, NULL},
    {"sequence_setitem", sequence_setitem, METH_VARARGS, NULL},
    {"sequence_delitem", sequence_delitem, METH_VARARGS, NULL},
    {"object_hasattrstring", object_hasattrstring, METH_VARARGS, NULL},
    {"call_vectorcall", call_vectorcall, METH_O, NULL},
    {"call_vectorcall_method", call_vectorcall_method, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "_testlimitedcapi", .m_size = -1, .m_methods = methods,
};

PyObject *init_testlimitedcapi(void)
{
    return PyModule_Create(&module);
}
