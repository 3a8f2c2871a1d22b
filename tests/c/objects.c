/* Objects of the built-in types, made and looked at from C. */
#include "check.h"

static void numbers(void)
{
    PyObject *big = PyLong_FromString("123456789012345678901234567890", NULL, 10);
    CHECK(big != NULL);
    CHECK(PyLong_AsLong(big) == -1);
    RAISED(PyExc_OverflowError);
    int overflow;
    CHECK(PyLong_AsLongAndOverflow(big, &overflow) == -1 && overflow == 1);
    PyObject *half = PyNumber_FloorDivide(big, big);
    CHECK(PyLong_AsLong(half) == 1);
    Py_DECREF(half);
    Py_DECREF(big);
    PyObject *max = PyLong_FromUnsignedLongLong(~0ULL);
    CHECK(PyLong_AsUnsignedLongLong(max) == ~0ULL);
    unsigned char bytes[8];
    CHECK(PyLong_AsNativeBytes(max, bytes, 8, -1) == 8 && bytes[0] == 0xff);
    Py_DECREF(max);
    PyObject *f = PyFloat_FromDouble(1.5);
    CHECK(PyFloat_Check(f) && PyFloat_AsDouble(f) == 1.5 && PyFloat_AS_DOUBLE(f) == 1.5);
    Py_DECREF(f);
    Py_complex value = {1.0, -2.0};
    PyObject *c = PyComplex_FromCComplex(value);
    CHECK(PyComplex_AsCComplex(c).imag == -2.0);
    Py_DECREF(c);
    CHECK(PyBool_FromLong(2) == Py_True && PyBool_FromLong(0) == Py_False);
    CHECK(PyObject_IsTrue(Py_None) == 0 && Py_TYPE(Py_True) == &PyBool_Type);
}

static void texts(void)
{
    PyObject *text = PyUnicode_FromFormat("%d|%5s|%-4c|%R|%zd|%x|%V|%.2s", -3, "ab", 'z', Py_None, (Py_ssize_t)7, 255, NULL, "v", "cut");
    CHECK(text != NULL && PyUnicode_CompareWithASCIIString(text, "-3|   ab|z   |None|7|ff|v|cu") == 0);
    CHECK(PyUnicode_GET_LENGTH(text) == PyUnicode_GetLength(text) && PyUnicode_IS_ASCII(text));
    CHECK(PyUnicode_READ_CHAR(text, 0) == '-');
    Py_DECREF(text);
    text = PyUnicode_FromString("gr\xc3\xbc\xc3\x9f" "e");
    Py_ssize_t size;
    CHECK(strcmp(PyUnicode_AsUTF8AndSize(text, &size), "gr\xc3\xbc\xc3\x9f" "e") == 0 && size == 7 && PyUnicode_GetLength(text) == 5);
    wchar_t *wide = PyUnicode_AsWideCharString(text, NULL);
    CHECK(wide != NULL && wcslen(wide) == 5 && wide[2] == 0xfc);
    PyMem_Free(wide);
    PyObject *encoded = PyUnicode_AsEncodedString(text, "latin-1", NULL);
    CHECK(encoded != NULL && PyBytes_GET_SIZE(encoded) == 5 && (unsigned char)PyBytes_AS_STRING(encoded)[2] == 0xfc);
    Py_DECREF(encoded);
    CHECK(PyUnicode_AsASCIIString(text) == NULL);
    RAISED(PyExc_UnicodeEncodeError);
    Py_DECREF(text);
    CHECK(PyUnicode_FromString("\xff") == NULL);
    RAISED(PyExc_UnicodeDecodeError);
    PyObject *made = PyUnicode_New(3, 0x20ac);
    CHECK(PyUnicode_WriteChar(made, 0, 0x20ac) == 0 && PyUnicode_Fill(made, 1, 2, 'x') == 2);
    CHECK(PyUnicode_EqualToUTF8(made, "\xe2\x82\xacxx"));
    Py_DECREF(made);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, 3);
    memcpy(PyBytes_AS_STRING(bytes), "abc", 3);
    CHECK(_PyBytes_Resize(&bytes, 2) == 0 && strcmp(PyBytes_AsString(bytes), "ab") == 0);
    Py_DECREF(bytes);
}

static void containers(void)
{
    PyObject *list = PyList_New(2);
    PyList_SET_ITEM(list, 0, PyLong_FromLong(1000000));
    CHECK(PyList_SetItem(list, 1, PyUnicode_FromString("two")) == 0);
    CHECK(PyList_Append(list, Py_None) == 0 && PyList_GET_SIZE(list) == 3 && PyList_GetItem(list, 9) == NULL);
    RAISED(PyExc_IndexError);
    PyObject *tuple = PyList_AsTuple(list);
    CHECK(PyTuple_GET_ITEM(tuple, 2) == Py_None && PyTuple_SetItem(Py_None, 0, Py_NewRef(Py_None)) == -1);
    RAISED(PyExc_SystemError);
    PyObject *packed = PyTuple_Pack(3, list, tuple, Py_None);
    CHECK(PyTuple_Size(packed) == 3);
    Py_DECREF(packed);
    PyObject *dict = PyDict_New();
    CHECK(PyDict_SetItemString(dict, "list", list) == 0 && PyDict_SetItem(dict, tuple, list) == 0);
    CHECK(PyDict_GetItemString(dict, "list") == list && PyDict_GetItemString(dict, "none") == NULL && !PyErr_Occurred());
    CHECK(PyDict_SetItem(dict, list, list) == -1);
    RAISED(PyExc_TypeError);
    Py_ssize_t at = 0, count = 0;
    PyObject *key, *value;
    while (PyDict_Next(dict, &at, &key, &value))
        count += value == list;
    CHECK(count == 2);
    PyObject *found;
    CHECK(PyDict_GetItemRef(dict, tuple, &found) == 1 && found == list);
    Py_DECREF(found);
    PyObject *set = PySet_New(tuple);
    CHECK(PySet_Size(set) == 3 && PySet_Contains(set, Py_None) == 1 && PySet_Discard(set, Py_None) == 1);
    PyObject *iterator = PyObject_GetIter(list), *item;
    for (count = 0; (item = PyIter_Next(iterator)) != NULL; count++)
        Py_DECREF(item);
    CHECK(count == 3 && !PyErr_Occurred());
    Py_DECREF(iterator);
    Py_DECREF(set);
    Py_DECREF(dict);
    Py_DECREF(tuple);
    Py_DECREF(list);
}

static void ended(PyObject *capsule) { ++*(int *)PyCapsule_GetContext(capsule); }

static void others(void)
{
    int ends = 0, thing = 3;
    PyObject *capsule = PyCapsule_New(&thing, "test.thing", ended);
    CHECK(PyCapsule_SetContext(capsule, &ends) == 0 && PyCapsule_GetPointer(capsule, "test.thing") == &thing);
    CHECK(PyCapsule_GetPointer(capsule, "other") == NULL);
    RAISED(PyExc_ValueError);
    Py_DECREF(capsule);
    CHECK(ends == 1);
    char memory[4] = "abc";
    PyObject *view = PyMemoryView_FromMemory(memory, 3, PyBUF_WRITE);
    Py_buffer buffer;
    CHECK(view != NULL && PyObject_GetBuffer(view, &buffer, PyBUF_WRITABLE) == 0 && buffer.buf == memory && buffer.len == 3);
    PyBuffer_Release(&buffer);
    Py_DECREF(view);
    PyObject *class = PyErr_NewExceptionWithDoc("test.Special", "A doc.", PyExc_KeyError, NULL);
    CHECK(class != NULL && PyObject_IsSubclass(class, PyExc_LookupError) == 1);
    PyErr_SetString(class, "message");
    PyObject *type, *error, *trace;
    PyErr_Fetch(&type, &error, &trace);
    CHECK(type == class && trace == NULL && !PyErr_Occurred());
    PyErr_Restore(type, error, trace);
    PyObject *raised = PyErr_GetRaisedException();
    CHECK(raised == error);
    Py_DECREF(raised);
    Py_DECREF(class);
    PyObject *built = Py_BuildValue("(iNs#[y]{s:d}())", 1, PyLong_FromLong(2), "abc", (Py_ssize_t)2, "b", "x", 0.5);
    PyObject *shown = PyObject_Repr(built);
    CHECK(shown != NULL && PyUnicode_CompareWithASCIIString(shown, "(1, 2, 'ab', [b'b'], {'x': 0.5}, ())") == 0);
    Py_DECREF(shown);
    Py_DECREF(built);
    CHECK(Py_BuildValue("(ON)", NULL, PyLong_FromLong(1 << 20)) == NULL);
    RAISED(PyExc_SystemError);
    PyThreadState *state = PyEval_SaveThread();
    CHECK(!PyGILState_Check());
    PyGILState_STATE gil = PyGILState_Ensure();
    CHECK(PyGILState_Check());
    PyGILState_Release(gil);
    PyEval_RestoreThread(state);
    CHECK(PyThreadState_Get() == state && PyInterpreterState_GetID(PyInterpreterState_Get()) >= 0);
    /* A null pointer where an object is wanted is an error, not a crash. */
    CHECK(PyObject_GetAttrString(NULL, "x") == NULL);
    RAISED(PyExc_SystemError);
    CHECK(PyList_Append(Py_None, Py_None) == -1);
    RAISED(PyExc_SystemError);
}

int main(void)
{
    begin();
    numbers();
    texts();
    containers();
    others();
    return end();
}
