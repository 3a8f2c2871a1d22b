/* What support/_testcapi.py takes from C: limits of C's types, errors from C, frames, traces, buffers, and documentation texts. */
#define PY_SSIZE_T_CLEAN
#include "calls.h"
#include <marshal.h>
#include <errno.h>
#include <float.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>

/* Errors. */

static PyObject *raise_exception(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *type;
    int count;
    if (!PyArg_ParseTuple(args, "Oi", &type, &count))
        return NULL;
    PyObject *values = PyTuple_New(count);
    if (values == NULL)
        return NULL;
    for (int i = 0; i < count; i++) {
        PyObject *number = PyLong_FromLong(i);
        if (number == NULL) {
            Py_DECREF(values);
            return NULL;
        }
        PyTuple_SetItem(values, i, number);
    }
    PyErr_SetObject(type, values);
    Py_DECREF(values);
    return NULL;
}

static PyObject *raise_memoryerror(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing))
{
    return PyErr_NoMemory();
}

static PyObject *make_exception_with_doc(PyObject *Py_UNUSED(module), PyObject *args, PyObject *keywords)
{
    static char *names[] = {"name", "doc", "base", "dict", NULL};
    const char *name, *doc = NULL;
    PyObject *base = NULL, *dict = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "s|sOO:make_exception_with_doc", names, &name, &doc, &base, &dict))
        return NULL;
    return PyErr_NewExceptionWithDoc(name, doc, base, dict);
}

static PyObject *exception_print(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *error;
    int legacy = 0;
    if (!PyArg_ParseTuple(args, "O|i", &error, &legacy))
        return NULL;
    if (legacy) {
        if (!PyExceptionInstance_Check(error)) {
            PyErr_SetString(PyExc_TypeError, "an exception object is required");
            return NULL;
        }
        PyObject *traceback = PyException_GetTraceback(error);
        PyErr_Display((PyObject *)Py_TYPE(error), error, traceback);
        Py_XDECREF(traceback);
    } else {
        PyErr_DisplayException(error);
    }
    Py_RETURN_NONE;
}

static PyObject *traceback_print(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *traceback, *file;
    if (!PyArg_ParseTuple(args, "OO", &traceback, &file) || PyTraceBack_Print(traceback, file) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *err_writeunraisable(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *error, *object;
    if (!PyArg_ParseTuple(args, "OO", &error, &object))
        return NULL;
    if (error != Py_None)
        PyErr_SetRaisedException(Py_NewRef(error));
    PyErr_WriteUnraisable(object == Py_None ? NULL : object);
    Py_RETURN_NONE;
}

static PyObject *err_formatunraisable(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *error, *value = NULL;
    const char *format;
    if (!PyArg_ParseTuple(args, "Oz|O", &error, &format, &value))
        return NULL;
    if (error != Py_None)
        PyErr_SetRaisedException(Py_NewRef(error));
    if (value != NULL)
        PyErr_FormatUnraisable(format, value);
    else
        PyErr_FormatUnraisable(format);
    Py_RETURN_NONE;
}

static PyObject *set_errno(PyObject *Py_UNUSED(module), PyObject *number)
{
    int value = (int)PyLong_AsLong(number);
    if (PyErr_Occurred())
        return NULL;
    errno = value;
    Py_RETURN_NONE;
}

static PyObject *raise_SIGINT_then_send_None(PyObject *Py_UNUSED(module), PyObject *generator)
{
    /* The handler runs while the generator does. */
    raise(SIGINT);
    PyObject *result;
    if (PyIter_Send(generator, Py_None, &result) != PYGEN_NEXT) {
        Py_XDECREF(result);
        if (!PyErr_Occurred())
            PyErr_SetNone(PyExc_StopIteration);
        return NULL;
    }
    return result;
}

/* Memory that ends: allocation number `from` to number `to` (0: for ever) fail. */

static struct {
    long seen, from, to;
    PyMemAllocatorEx raw, mem, object;
    int installed;
} memory;

static int fails(void)
{
    long number = memory.seen++;
    return number >= memory.from && (memory.to <= 0 || number < memory.to);
}

static void *failing_malloc(void *context, size_t size)
{
    PyMemAllocatorEx *below = context;
    return fails() ? NULL : below->malloc(below->ctx, size);
}

static void *failing_calloc(void *context, size_t count, size_t size)
{
    PyMemAllocatorEx *below = context;
    return fails() ? NULL : below->calloc(below->ctx, count, size);
}

static void *failing_realloc(void *context, void *block, size_t size)
{
    PyMemAllocatorEx *below = context;
    return fails() ? NULL : below->realloc(below->ctx, block, size);
}

static void failing_free(void *context, void *block)
{
    PyMemAllocatorEx *below = context;
    below->free(below->ctx, block);
}

static void install(PyMemAllocatorDomain domain, PyMemAllocatorEx *below)
{
    PyMemAllocatorEx above = {below, failing_malloc, failing_calloc, failing_realloc, failing_free};
    PyMem_GetAllocator(domain, below);
    PyMem_SetAllocator(domain, &above);
}

static PyObject *remove_mem_hooks(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing))
{
    if (memory.installed) {
        memory.installed = 0;
        PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &memory.raw);
        PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &memory.mem);
        PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &memory.object);
    }
    Py_RETURN_NONE;
}

static PyObject *set_nomemory(PyObject *module, PyObject *args)
{
    long from, to = 0;
    if (!PyArg_ParseTuple(args, "l|l", &from, &to))
        return NULL;
    Py_DECREF(remove_mem_hooks(module, NULL));
    memory.seen = 0;
    memory.from = from;
    memory.to = to;
    memory.installed = 1;
    install(PYMEM_DOMAIN_RAW, &memory.raw);
    install(PYMEM_DOMAIN_MEM, &memory.mem);
    install(PYMEM_DOMAIN_OBJ, &memory.object);
    Py_RETURN_NONE;
}

/* Frames and traces. */

static PyFrameObject *frame_of(PyObject *object)
{
    if (PyFrame_Check(object))
        return (PyFrameObject *)object;
    PyErr_SetString(PyExc_TypeError, "argument must be a frame");
    return NULL;
}

static PyObject *frame_getlocals(PyObject *Py_UNUSED(module), PyObject *object)
{
    PyFrameObject *frame = frame_of(object);
    return frame ? PyFrame_GetLocals(frame) : NULL;
}

static PyObject *frame_getglobals(PyObject *Py_UNUSED(module), PyObject *object)
{
    PyFrameObject *frame = frame_of(object);
    return frame ? PyFrame_GetGlobals(frame) : NULL;
}

static PyObject *frame_getbuiltins(PyObject *Py_UNUSED(module), PyObject *object)
{
    PyFrameObject *frame = frame_of(object);
    return frame ? PyFrame_GetBuiltins(frame) : NULL;
}

static PyObject *frame_getlasti(PyObject *Py_UNUSED(module), PyObject *object)
{
    PyFrameObject *frame = frame_of(object);
    if (frame == NULL)
        return NULL;
    int last = PyFrame_GetLasti(frame);
    if (last < 0)
        Py_RETURN_NONE;
    return PyLong_FromLong(last);
}

static int note_event(PyObject *events, PyFrameObject *frame, int what, PyObject *argument)
{
    PyObject *note = Py_BuildValue("iiO", what, PyFrame_GetLineNumber(frame), argument ? argument : Py_None);
    if (note == NULL)
        return -1;
    int status = PyList_Append(events, note);
    Py_DECREF(note);
    return status;
}

/* Fails at the first event, and notes it in the list: a function that fails stays set. */
static int fail_once(PyObject *list, PyFrameObject *Py_UNUSED(frame), int Py_UNUSED(what), PyObject *Py_UNUSED(argument))
{
    if (PyList_Size(list) != 0)
        return 0;
    if (PyList_Append(list, Py_None) < 0)
        return -1;
    PyErr_SetString(PyExc_Exception, "a tracer that fails");
    return -1;
}

static PyObject *settrace_to_record(PyObject *Py_UNUSED(module), PyObject *list)
{
    PyEval_SetTrace(note_event, list);
    Py_RETURN_NONE;
}

static PyObject *settrace_to_error(PyObject *Py_UNUSED(module), PyObject *list)
{
    PyEval_SetTrace(fail_once, list);
    Py_RETURN_NONE;
}

/* Objects, buffers, modules, interpreters. */

static PyObject *getbuffer_with_null_view(PyObject *Py_UNUSED(module), PyObject *object)
{
    if (PyObject_GetBuffer(object, NULL, PyBUF_SIMPLE) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *frame_getgenerator(PyObject *Py_UNUSED(module), PyObject *frame)
{
    PyObject *generator = PyFrame_GetGenerator((PyFrameObject *)frame);
    return generator == NULL && !PyErr_Occurred() ? Py_NewRef(Py_None) : generator;
}

static PyObject *frame_getvar(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *frame, *name;
    if (!PyArg_ParseTuple(args, "OO", &frame, &name))
        return NULL;
    return PyFrame_GetVar((PyFrameObject *)frame, name);
}

static PyObject *frame_getvarstring(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *frame;
    const char *name;
    if (!PyArg_ParseTuple(args, "Oy", &frame, &name))
        return NULL;
    return PyFrame_GetVarString((PyFrameObject *)frame, name);
}

static PyObject *code_newempty(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *filename, *name;
    int line;
    if (!PyArg_ParseTuple(args, "ssi", &filename, &name, &line))
        return NULL;
    return (PyObject *)PyCode_NewEmpty(filename, name, line);
}

/* The locale's encoding. The tests want its errors as texts. */

static void locale_error(const char *what, PyObject *class)
{
    if (!PyErr_ExceptionMatches(class)) {
        if (PyErr_ExceptionMatches(PyExc_LookupError) || PyErr_ExceptionMatches(PyExc_ValueError)) {
            PyErr_Clear();
            PyErr_SetString(PyExc_ValueError, "unsupported error handler");
        }
        return;
    }
    PyObject *error = PyErr_GetRaisedException();
    PyObject *start = PyObject_GetAttrString(error, "start"), *reason = PyObject_GetAttrString(error, "reason");
    if (start != NULL && reason != NULL)
        PyErr_Format(PyExc_RuntimeError, "%s error: pos=%S, reason=%U", what, start, reason);
    Py_XDECREF(start);
    Py_XDECREF(reason);
    Py_DECREF(error);
}

static PyObject *decode_locale(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *bytes, *errors = NULL;
    Py_ssize_t length;
    int current = 0;
    if (!PyArg_ParseTuple(args, "y#|iz", &bytes, &length, &current, &errors))
        return NULL;
    PyObject *text = PyUnicode_DecodeLocaleAndSize(bytes, length, errors);
    if (text == NULL)
        locale_error("decode", PyExc_UnicodeDecodeError);
    return text;
}

static PyObject *encode_locale(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *text;
    const char *errors = NULL;
    int current = 0;
    if (!PyArg_ParseTuple(args, "U|iz", &text, &current, &errors))
        return NULL;
    PyObject *bytes = PyUnicode_EncodeLocale(text, errors);
    if (bytes == NULL)
        locale_error("encode", PyExc_UnicodeEncodeError);
    return bytes;
}

/* marshal's form in files. */

static FILE *open_file(const char *name, const char *mode)
{
    FILE *file = fopen(name, mode);
    if (file == NULL)
        PyErr_SetFromErrno(PyExc_OSError);
    return file;
}

static PyObject *pymarshal_write_long_to_file(PyObject *Py_UNUSED(module), PyObject *args)
{
    long value;
    const char *name;
    int version;
    if (!PyArg_ParseTuple(args, "lsi", &value, &name, &version))
        return NULL;
    FILE *file = open_file(name, "wb");
    if (file == NULL)
        return NULL;
    PyMarshal_WriteLongToFile(value, file, version);
    fclose(file);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static PyObject *pymarshal_write_object_to_file(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *object;
    const char *name;
    int version;
    if (!PyArg_ParseTuple(args, "Osi", &object, &name, &version))
        return NULL;
    FILE *file = open_file(name, "wb");
    if (file == NULL)
        return NULL;
    PyMarshal_WriteObjectToFile(object, file, version);
    fclose(file);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

/* What was read, and where the file is left. */
static PyObject *read_file(PyObject *args, PyObject *(*read)(FILE *))
{
    const char *name;
    if (!PyArg_ParseTuple(args, "s", &name))
        return NULL;
    FILE *file = open_file(name, "rb");
    if (file == NULL)
        return NULL;
    PyObject *object = read(file);
    long position = ftell(file);
    fclose(file);
    return object == NULL ? NULL : Py_BuildValue("Nl", object, position);
}

static PyObject *read_short(FILE *file)
{
    int value = PyMarshal_ReadShortFromFile(file);
    return value == -1 && PyErr_Occurred() ? NULL : PyLong_FromLong(value);
}

static PyObject *read_long(FILE *file)
{
    long value = PyMarshal_ReadLongFromFile(file);
    return value == -1 && PyErr_Occurred() ? NULL : PyLong_FromLong(value);
}

static PyObject *pymarshal_read_short_from_file(PyObject *Py_UNUSED(module), PyObject *args)
{
    return read_file(args, read_short);
}

static PyObject *pymarshal_read_long_from_file(PyObject *Py_UNUSED(module), PyObject *args)
{
    return read_file(args, read_long);
}

static PyObject *pymarshal_read_object_from_file(PyObject *Py_UNUSED(module), PyObject *args)
{
    return read_file(args, PyMarshal_ReadObjectFromFile);
}

static PyObject *pymarshal_read_last_object_from_file(PyObject *Py_UNUSED(module), PyObject *args)
{
    return read_file(args, PyMarshal_ReadLastObjectFromFile);
}

/* Version tags of types. */

static PyObject *type_get_version(PyObject *Py_UNUSED(module), PyObject *type)
{
    if (!PyType_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "argument must be a type");
        return NULL;
    }
    return PyLong_FromUnsignedLong(((PyTypeObject *)type)->tp_version_tag);
}

static PyObject *type_modified(PyObject *Py_UNUSED(module), PyObject *type)
{
    if (!PyType_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "argument must be a type");
        return NULL;
    }
    PyType_Modified((PyTypeObject *)type);
    Py_RETURN_NONE;
}

static PyObject *type_assign_version(PyObject *Py_UNUSED(module), PyObject *type)
{
    if (!PyType_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "argument must be a type");
        return NULL;
    }
    return PyLong_FromLong(PyUnstable_Type_AssignVersionTag((PyTypeObject *)type));
}

static PyObject *type_assign_specific_version_unsafe(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyTypeObject *type;
    unsigned int version;
    if (!PyArg_ParseTuple(args, "O!I", &PyType_Type, &type, &version))
        return NULL;
    if (PyType_HasFeature(type, Py_TPFLAGS_IMMUTABLETYPE)) {
        PyErr_SetString(PyExc_TypeError, "an immutable type keeps its version");
        return NULL;
    }
    /* As if each were one of those that a class may use up. */
    if (type->tp_versions_used < UINT16_MAX)
        type->tp_versions_used++;
    type->tp_version_tag = version;
    Py_RETURN_NONE;
}

static PyObject *buffer_fill_info(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *source;
    int readonly, flags;
    Py_buffer view;
    if (!PyArg_ParseTuple(args, "Sii", &source, &readonly, &flags))
        return NULL;
    if (PyBuffer_FillInfo(&view, NULL, PyBytes_AsString(source), PyBytes_Size(source), readonly, flags) < 0)
        return NULL;
    return PyMemoryView_FromBuffer(&view);
}

static PyMethodDef nothing_method = {"nothing", (PyCFunction)remove_mem_hooks, METH_NOARGS, NULL};

static PyObject *create_cfunction(PyObject *module, PyObject *Py_UNUSED(nothing))
{
    return PyCFunction_NewEx(&nothing_method, module, NULL);
}

static PyObject *check_pyimport_addmodule(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *name;
    if (!PyArg_ParseTuple(args, "s", &name))
        return NULL;
    PyObject *owned = PyImport_AddModuleRef(name);
    if (owned == NULL)
        return NULL;
    PyObject *text = PyUnicode_FromString(name), *borrowed = PyImport_AddModule(name);
    if (text == NULL || borrowed != owned || PyImport_AddModuleObject(text) != owned) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_AssertionError, "one name, two modules");
        Py_CLEAR(owned);
    }
    Py_XDECREF(text);
    return owned;
}

static PyObject *run_in_subinterp(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *code;
    if (!PyArg_ParseTuple(args, "s", &code))
        return NULL;
    PyThreadState *here = PyThreadState_Get();
    PyThreadState *there = Py_NewInterpreter();
    if (there == NULL) {
        PyThreadState_Swap(here);
        PyErr_SetString(PyExc_RuntimeError, "sub-interpreter creation failed");
        return NULL;
    }
    int status = PyRun_SimpleString(code);
    Py_EndInterpreter(there);
    PyThreadState_Swap(here);
    return PyLong_FromLong(status);
}

/* Documentation with and without signatures. */

static PyObject *nothing1(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(argument))
{
    Py_RETURN_NONE;
}

#define DOC_EMPTY ""
#define DOC_NO_SIGNATURE "This docstring has no signature."
#define DOC_INVALID "docstring_with_invalid_signature($module, /, boo)\n\nThis docstring has an invalid signature."
#define DOC_INVALID2 \
    "docstring_with_invalid_signature2($module, /, boo)\n\n--\n\nThis docstring also has an invalid signature."
#define DOC_SIGNATURE "docstring_with_signature($module, /, sig)\n--\n\nThis docstring has a valid signature."
#define DOC_ONLY "docstring_with_signature_but_no_doc($module, /, sig)\n--\n\n"
#define DOC_NEWLINES \
    "docstring_with_signature_and_extra_newlines($module, /, parameter)\n--\n\n\n\n" \
    "This docstring has a valid signature and some extra newlines."
#define DOC_DEFAULTS \
    "docstring_with_signature_with_defaults(module, s='avocado',\n        b=b'bytes', d=3.14, i=35, n=None, t=True, f=False,\n" \
    "        local=the_number_three, sys=sys.maxsize,\n        exp=sys.maxsize - 1)\n--\n\n\n\n" \
    "This docstring has a valid signature with parameters,\nand the parameters take defaults of varying types."

static PyMethodDef methods[] = {
    {"raise_exception", raise_exception, METH_VARARGS, NULL},
    {"raise_memoryerror", raise_memoryerror, METH_NOARGS, NULL},
    {"make_exception_with_doc", _PyCFunction_CAST(make_exception_with_doc), METH_VARARGS | METH_KEYWORDS, NULL},
    {"exception_print", exception_print, METH_VARARGS, NULL},
    {"traceback_print", traceback_print, METH_VARARGS, NULL},
    {"err_writeunraisable", err_writeunraisable, METH_VARARGS, NULL},
    {"err_formatunraisable", err_formatunraisable, METH_VARARGS, NULL},
    {"set_errno", set_errno, METH_O, NULL},
    {"raise_SIGINT_then_send_None", raise_SIGINT_then_send_None, METH_O, NULL},
    {"set_nomemory", set_nomemory, METH_VARARGS, NULL},
    {"remove_mem_hooks", remove_mem_hooks, METH_NOARGS, NULL},
    {"frame_getlocals", frame_getlocals, METH_O, NULL},
    {"frame_getglobals", frame_getglobals, METH_O, NULL},
    {"frame_getbuiltins", frame_getbuiltins, METH_O, NULL},
    {"frame_getlasti", frame_getlasti, METH_O, NULL},
    {"frame_getgenerator", frame_getgenerator, METH_O, NULL},
    {"frame_getvar", frame_getvar, METH_VARARGS, NULL},
    {"frame_getvarstring", frame_getvarstring, METH_VARARGS, NULL},
    {"pymarshal_write_long_to_file", pymarshal_write_long_to_file, METH_VARARGS, NULL},
    {"pymarshal_write_object_to_file", pymarshal_write_object_to_file, METH_VARARGS, NULL},
    {"pymarshal_read_short_from_file", pymarshal_read_short_from_file, METH_VARARGS, NULL},
    {"pymarshal_read_long_from_file", pymarshal_read_long_from_file, METH_VARARGS, NULL},
    {"pymarshal_read_object_from_file", pymarshal_read_object_from_file, METH_VARARGS, NULL},
    {"pymarshal_read_last_object_from_file", pymarshal_read_last_object_from_file, METH_VARARGS, NULL},
    {"decode_locale", decode_locale, METH_VARARGS, NULL},
    {"encode_locale", encode_locale, METH_VARARGS, NULL},
    {"code_newempty", code_newempty, METH_VARARGS, NULL},
    {"type_get_version", type_get_version, METH_O, NULL},
    {"type_modified", type_modified, METH_O, NULL},
    {"type_assign_version", type_assign_version, METH_O, NULL},
    {"type_assign_specific_version_unsafe", type_assign_specific_version_unsafe, METH_VARARGS, NULL},
    {"settrace_to_record", settrace_to_record, METH_O, NULL},
    {"settrace_to_error", settrace_to_error, METH_O, NULL},
    {"buffer_fill_info", buffer_fill_info, METH_VARARGS, NULL},
    {"getbuffer_with_null_view", getbuffer_with_null_view, METH_O, NULL},
    {"create_cfunction", create_cfunction, METH_NOARGS, NULL},
    {"check_pyimport_addmodule", check_pyimport_addmodule, METH_VARARGS, NULL},
    {"run_in_subinterp", run_in_subinterp, METH_VARARGS, NULL},
    {"test_with_docstring", nothing1, METH_NOARGS, "This is a pretty normal docstring."},
    {"docstring_empty", nothing1, METH_VARARGS, DOC_EMPTY},
    {"docstring_no_signature", nothing1, METH_VARARGS, DOC_NO_SIGNATURE},
    {"docstring_no_signature_noargs", nothing1, METH_NOARGS, DOC_NO_SIGNATURE},
    {"docstring_no_signature_o", nothing1, METH_O, DOC_NO_SIGNATURE},
    {"docstring_with_invalid_signature", nothing1, METH_VARARGS, DOC_INVALID},
    {"docstring_with_invalid_signature2", nothing1, METH_VARARGS, DOC_INVALID2},
    {"docstring_with_signature", nothing1, METH_VARARGS, DOC_SIGNATURE},
    {"docstring_with_signature_but_no_doc", nothing1, METH_VARARGS, DOC_ONLY},
    {"docstring_with_signature_and_extra_newlines", nothing1, METH_VARARGS, DOC_NEWLINES},
    {"docstring_with_signature_with_defaults", nothing1, METH_VARARGS, DOC_DEFAULTS},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "_hosttestcapi", .m_size = -1, .m_methods = methods,
};

static int add_limits(PyObject *self)
{
    const struct {
        const char *name;
        long long value;
    } numbers[] = {
        {"CHAR_MAX", CHAR_MAX}, {"CHAR_MIN", CHAR_MIN}, {"UCHAR_MAX", UCHAR_MAX},
        {"SHRT_MAX", SHRT_MAX}, {"SHRT_MIN", SHRT_MIN}, {"USHRT_MAX", USHRT_MAX},
        {"INT_MAX", INT_MAX}, {"INT_MIN", INT_MIN}, {"UINT_MAX", UINT_MAX},
        {"LONG_MAX", LONG_MAX}, {"LONG_MIN", LONG_MIN}, {"LLONG_MAX", LLONG_MAX}, {"LLONG_MIN", LLONG_MIN},
        {"INT32_MAX", INT32_MAX}, {"INT32_MIN", INT32_MIN}, {"UINT32_MAX", UINT32_MAX},
        {"INT64_MAX", INT64_MAX}, {"INT64_MIN", INT64_MIN},
        {"PY_SSIZE_T_MAX", PY_SSIZE_T_MAX}, {"PY_SSIZE_T_MIN", PY_SSIZE_T_MIN},
        {"SIZEOF_VOID_P", sizeof(void *)}, {"SIZEOF_WCHAR_T", sizeof(wchar_t)}, {"SIZEOF_TIME_T", sizeof(time_t)},
        {"the_number_three", 3}, {"ONE", 1},
    };
    const struct {
        const char *name;
        unsigned long long value;
    } naturals[] = {
        {"ULONG_MAX", ULONG_MAX}, {"ULLONG_MAX", ULLONG_MAX}, {"UINT64_MAX", UINT64_MAX}, {"SIZE_MAX", SIZE_MAX},
    };
    const struct {
        const char *name;
        double value;
    } floats[] = {{"FLT_MAX", FLT_MAX}, {"FLT_MIN", FLT_MIN}, {"DBL_MAX", DBL_MAX}, {"DBL_MIN", DBL_MIN}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (PyModule_Add(self, numbers[i].name, PyLong_FromLongLong(numbers[i].value)) < 0)
            return -1;
    }
    for (size_t i = 0; i < sizeof naturals / sizeof *naturals; i++) {
        if (PyModule_Add(self, naturals[i].name, PyLong_FromUnsignedLongLong(naturals[i].value)) < 0)
            return -1;
    }
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) {
        if (PyModule_Add(self, floats[i].name, PyFloat_FromDouble(floats[i].value)) < 0)
            return -1;
    }
    if (PyModule_AddObjectRef(self, "WITH_PYMALLOC", Py_True) < 0)
        return -1;
    return PyModule_AddObjectRef(self, "WITH_MIMALLOC", Py_True);
}

PyObject *init_testcapi(void)
{
    PyObject *self = PyModule_Create(&module);
    if (self != NULL && (PyModule_AddFunctions(self, call_methods) < 0
                         || PyModule_AddFunctions(self, monitoring_methods) < 0 || add_limits(self) < 0))
        Py_CLEAR(self);
    return self;
}
