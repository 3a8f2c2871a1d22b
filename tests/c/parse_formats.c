/* The format units of PyArg_ParseTuple. */
#include "check.h"

#define PARSE(args, ...) (parsed = PyArg_ParseTuple(tuple = (args), __VA_ARGS__), Py_DECREF(tuple), parsed)

static int conversions, cleanups;

static int convert(PyObject *object, void *place)
{
    if (object == NULL) {
        cleanups++;
        return 1;
    }
    conversions++;
    *(PyObject **)place = object;
    return Py_CLEANUP_SUPPORTED;
}

int main(void)
{
    PyObject *tuple, *a = NULL, *b = NULL;
    int parsed, i = 0, flag = 0, ch = 0;
    long l = 0;
    long long ll = 0;
    Py_ssize_t n = 0;
    unsigned char byte = 0;
    short s = 0;
    unsigned short us = 0;
    unsigned long ul = 0;
    float f = 0;
    double d = 0;
    char c = 0;
    const char *text = NULL, *data = NULL;
    char *copy = NULL;
    Py_buffer view;
    Py_complex complex_value;
    begin();
    CHECK(PARSE(Py_BuildValue("(iiiiiiii)", 200, -5, 70000, 9, 10, 11, 12, 13), "bhHilLnk", &byte, &s, &us, &i, &l, &ll, &n, &ul));
    CHECK(byte == 200 && s == -5 && us == 4464 && i == 9 && l == 10 && ll == 11 && n == 12 && ul == 13);
    CHECK(!PARSE(Py_BuildValue("(i)", 256), "b", &byte));
    RAISED(PyExc_OverflowError);
    CHECK(PARSE(Py_BuildValue("(dd)", 0.5, 2.5), "fd", &f, &d) && f == 0.5f && d == 2.5);
    CHECK(PARSE(Py_BuildValue("(i)", 3), "D", &complex_value) && complex_value.real == 3.0);
    CHECK(PARSE(Py_BuildValue("(cCO)", 'x', 0x20ac, Py_None), "cCp", &c, &ch, &flag) && c == 'x' && ch == 0x20ac && flag == 0);
    tuple = Py_BuildValue("(sOy)", "text", Py_None, "bytes");
    CHECK(PyArg_ParseTuple(tuple, "szy", &text, &copy, &data) && strcmp(text, "text") == 0 && copy == NULL && strcmp(data, "bytes") == 0);
    CHECK(PyArg_ParseTuple(tuple, "s#Oy#", &text, &n, &a, &data, &n) && n == 5);
    CHECK(PyArg_ParseTuple(tuple, "s*OO", &view, &a, &b) && view.len == 4 && a == Py_None);
    PyBuffer_Release(&view);
    /* A view that was filled for an earlier argument is given back when a later one does not fit. */
    CHECK(!PyArg_ParseTuple(tuple, "s*Oi", &view, &a, &i));
    RAISED(PyExc_TypeError);
    CHECK(!PyArg_ParseTuple(tuple, "OO&i", &a, convert, &b, &i) && conversions == 1 && cleanups == 1);
    RAISED(PyExc_TypeError);
    copy = NULL;
    CHECK(PyArg_ParseTuple(tuple, "es#OO", "utf-16-le", &copy, &n, &a, &b) && n == 8 && copy[0] == 't' && copy[1] == 0);
    PyMem_Free(copy);
    CHECK(PyArg_ParseTuple(tuple, "esOO", NULL, &copy, &a, &b) && strcmp(copy, "text") == 0);
    PyMem_Free(copy);
    /* A copy for an earlier argument is freed when a later one does not fit. */
    CHECK(!PyArg_ParseTuple(tuple, "esOi", NULL, &copy, &a, &i) && copy == NULL);
    RAISED(PyExc_TypeError);
    CHECK(PyArg_ParseTuple(tuple, "UOS", &a, &b, &b) && PyUnicode_Check(a) && PyBytes_Check(b));
    CHECK(PyArg_ParseTuple(tuple, "O!OO", &PyUnicode_Type, &a, &b, &b));
    CHECK(!PyArg_ParseTuple(tuple, "O!OO", &PyLong_Type, &a, &b, &b));
    RAISED(PyExc_TypeError);
    Py_DECREF(tuple);
    i = 1;
    CHECK(PARSE(Py_BuildValue("(i(ii))", 1, 2, 3), "i(il)|i", &i, &i, &l, &flag) && i == 2 && l == 3);
    CHECK(!PARSE(Py_BuildValue("(i(i))", 1, 2), "i(il)", &i, &i, &l));
    RAISED(PyExc_TypeError);
    CHECK(!PARSE(Py_BuildValue("(ii)", 1, 2), "i:one", &i));
    RAISED(PyExc_TypeError);
    CHECK(!PARSE(Py_BuildValue("(s#)", "a\0b", (Py_ssize_t)3), "s", &text));
    RAISED(PyExc_ValueError);
    tuple = Py_BuildValue("(ii)", 1, 2);
    CHECK(PyArg_UnpackTuple(tuple, "f", 1, 3, &a, &b, &copy) && PyLong_AsLong(b) == 2);
    CHECK(!PyArg_UnpackTuple(tuple, "f", 3, 3, &a, &b, &copy));
    RAISED(PyExc_TypeError);
    Py_DECREF(tuple);
    return end();
}
