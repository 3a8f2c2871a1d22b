/* The functions of the C API that take a variable number of arguments.
 *
 * Rust cannot define such functions yet, so that they are here, under internal names; variadic.rs exports
 * jumps to them under the public ones. Each wraps its arguments in a struct whose address the Rust side gets,
 * and from which it takes them one by one through the hog_va_* functions.
 */
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

typedef struct PyObject PyObject;
typedef struct {
    va_list list;
} hog_va;

/* What the Rust side takes the next argument with. */
int hog_va_int(hog_va *va) { return va_arg(va->list, int); }
unsigned hog_va_uint(hog_va *va) { return va_arg(va->list, unsigned); }
long long hog_va_long_long(hog_va *va) { return va_arg(va->list, long long); }
double hog_va_double(hog_va *va) { return va_arg(va->list, double); }
void *hog_va_pointer(hog_va *va) { return va_arg(va->list, void *); }
/* A converter's address travels as what it is: a function pointer. */
typedef int (*hog_converter)(PyObject *, void *);
hog_converter hog_va_converter(hog_va *va) { return va_arg(va->list, hog_converter); }
typedef PyObject *(*hog_maker)(void *);
hog_maker hog_va_maker(hog_va *va) { return va_arg(va->list, hog_maker); }
/* The Rust side. */
extern int _Hog_ParseArgs(PyObject *args, const char *format, hog_va *va, int whole);
extern int _Hog_ParseKeywords(PyObject *args, PyObject *kwargs, const char *format, char *const *names, hog_va *va);
extern int _Hog_UnpackTuple(PyObject *args, const char *name, ptrdiff_t min, ptrdiff_t max, hog_va *va);
extern PyObject *_Hog_BuildValue(const char *format, hog_va *va, int call);
extern PyObject *_Hog_FormatText(const char *format, hog_va *va);
extern PyObject *_Hog_ErrFormat(PyObject *type, const char *format, hog_va *va);
extern PyObject *_Hog_ErrFormatFromCause(PyObject *type, const char *format, hog_va *va);
extern void _Hog_FormatUnraisable(const char *format, hog_va *va);
extern int _Hog_WarnFormat(PyObject *category, ptrdiff_t level, PyObject *source, const char *format, hog_va *va);
extern int _Hog_Audit(const char *event, const char *format, hog_va *va);
extern void _Hog_WriteStream(int is_error, const char *text, ptrdiff_t length, int truncated);
extern void _Hog_FormatStream(int is_error, const char *format, hog_va *va);
extern PyObject *_Hog_CallObjects(PyObject *callable, PyObject *const *objects, size_t count);
extern PyObject *_Hog_CallMethodObjects(PyObject *object, PyObject *name, const char *text, PyObject *const *objects,
                                        size_t count);
extern PyObject *_Hog_CallBuilt(PyObject *callable, PyObject *args);
extern PyObject *_Hog_CallOwnedMethod(PyObject *method, PyObject *args);
extern PyObject *_Hog_GetMethod(PyObject *object, const char *name);
extern PyObject *_Hog_TuplePack(PyObject *const *objects, ptrdiff_t count);
extern PyObject *_Hog_NoMemory(void);
extern void *PyMem_RawMalloc(size_t size);
extern void PyMem_RawFree(void *block);

#define WITH_ARGUMENTS(last, result_type, call)                                                                        \
    hog_va va;                                                                                                         \
    va_start(va.list, last);                                                                                           \
    result_type result = call;                                                                                         \
    va_end(va.list);                                                                                                   \
    return result

#define WITH_LIST(from, result_type, call)                                                                             \
    hog_va va;                                                                                                         \
    va_copy(va.list, from);                                                                                            \
    result_type result = call;                                                                                         \
    va_end(va.list);                                                                                                   \
    return result

int hog_c_PyArg_Parse(PyObject *args, const char *format, ...)
{
    WITH_ARGUMENTS(format, int, _Hog_ParseArgs(args, format, &va, 1));
}

int hog_c_PyArg_ParseTuple(PyObject *args, const char *format, ...)
{
    WITH_ARGUMENTS(format, int, _Hog_ParseArgs(args, format, &va, 0));
}

int hog_c_PyArg_VaParse(PyObject *args, const char *format, va_list list)
{
    WITH_LIST(list, int, _Hog_ParseArgs(args, format, &va, 0));
}

int hog_c_PyArg_ParseTupleAndKeywords(PyObject *args, PyObject *kwargs, const char *format, char *const *names, ...)
{
    WITH_ARGUMENTS(names, int, _Hog_ParseKeywords(args, kwargs, format, names, &va));
}

int hog_c_PyArg_VaParseTupleAndKeywords(PyObject *args, PyObject *kwargs, const char *format, char *const *names,
                                        va_list list)
{
    WITH_LIST(list, int, _Hog_ParseKeywords(args, kwargs, format, names, &va));
}

int hog_c_PyArg_UnpackTuple(PyObject *args, const char *name, ptrdiff_t min, ptrdiff_t max, ...)
{
    WITH_ARGUMENTS(max, int, _Hog_UnpackTuple(args, name, min, max, &va));
}

PyObject *hog_c_Py_BuildValue(const char *format, ...)
{
    WITH_ARGUMENTS(format, PyObject *, _Hog_BuildValue(format, &va, 0));
}

PyObject *hog_c_Py_VaBuildValue(const char *format, va_list list)
{
    WITH_LIST(list, PyObject *, _Hog_BuildValue(format, &va, 0));
}

PyObject *hog_c_PyUnicode_FromFormat(const char *format, ...)
{
    WITH_ARGUMENTS(format, PyObject *, _Hog_FormatText(format, &va));
}

PyObject *hog_c_PyUnicode_FromFormatV(const char *format, va_list list)
{
    WITH_LIST(list, PyObject *, _Hog_FormatText(format, &va));
}

PyObject *hog_c_PyErr_Format(PyObject *type, const char *format, ...)
{
    WITH_ARGUMENTS(format, PyObject *, _Hog_ErrFormat(type, format, &va));
}

PyObject *hog_c_PyErr_FormatV(PyObject *type, const char *format, va_list list)
{
    WITH_LIST(list, PyObject *, _Hog_ErrFormat(type, format, &va));
}

PyObject *hog_c__PyErr_FormatFromCause(PyObject *type, const char *format, ...)
{
    WITH_ARGUMENTS(format, PyObject *, _Hog_ErrFormatFromCause(type, format, &va));
}

void hog_c_PyErr_FormatUnraisable(const char *format, ...)
{
    hog_va va;
    va_start(va.list, format);
    _Hog_FormatUnraisable(format, &va);
    va_end(va.list);
}

int hog_c_PyErr_WarnFormat(PyObject *category, ptrdiff_t level, const char *format, ...)
{
    WITH_ARGUMENTS(format, int, _Hog_WarnFormat(category, level, NULL, format, &va));
}

extern PyObject *PyExc_ResourceWarning;

int hog_c_PyErr_ResourceWarning(PyObject *source, ptrdiff_t level, const char *format, ...)
{
    WITH_ARGUMENTS(format, int, _Hog_WarnFormat(PyExc_ResourceWarning, level, source, format, &va));
}

int hog_c_PySys_Audit(const char *event, const char *format, ...)
{
    WITH_ARGUMENTS(format, int, _Hog_Audit(event, format, &va));
}

PyObject *hog_c_PyObject_CallFunction(PyObject *callable, const char *format, ...)
{
    hog_va va;
    va_start(va.list, format);
    PyObject *args = _Hog_BuildValue(format, &va, 1);
    va_end(va.list);
    return _Hog_CallBuilt(callable, args);
}

PyObject *hog_c_PyObject_CallMethod(PyObject *object, const char *name, const char *format, ...)
{
    PyObject *method = _Hog_GetMethod(object, name);
    if (method == NULL)
        return NULL;
    hog_va va;
    va_start(va.list, format);
    PyObject *args = _Hog_BuildValue(format, &va, 1);
    va_end(va.list);
    return _Hog_CallOwnedMethod(method, args);
}

/* Gathers objects up to NULL in an array: on the stack while they are few. */
#define FEW 16
#define GATHER(last)                                                                                                   \
    PyObject *few[FEW], **objects = few;                                                                               \
    size_t count = 0;                                                                                                  \
    va_list list;                                                                                                      \
    va_start(list, last);                                                                                              \
    while (va_arg(list, PyObject *) != NULL)                                                                           \
        count++;                                                                                                       \
    va_end(list);                                                                                                      \
    if (count > FEW && (objects = PyMem_RawMalloc(count * sizeof *objects)) == NULL)                                   \
        return _Hog_NoMemory();                                                                                        \
    va_start(list, last);                                                                                              \
    for (size_t i = 0; i < count; i++)                                                                                 \
        objects[i] = va_arg(list, PyObject *);                                                                         \
    va_end(list)

#define DONE(call)                                                                                                     \
    PyObject *result = call;                                                                                           \
    if (objects != few)                                                                                                \
        PyMem_RawFree(objects);                                                                                        \
    return result

PyObject *hog_c_PyObject_CallFunctionObjArgs(PyObject *callable, ...)
{
    GATHER(callable);
    DONE(_Hog_CallObjects(callable, objects, count));
}

PyObject *hog_c_PyObject_CallMethodObjArgs(PyObject *object, PyObject *name, ...)
{
    GATHER(name);
    DONE(_Hog_CallMethodObjects(object, name, NULL, objects, count));
}

PyObject *hog_c_PyTuple_Pack(ptrdiff_t count, ...)
{
    PyObject *few[FEW], **objects = few;
    if (count > FEW && (objects = PyMem_RawMalloc((size_t)count * sizeof *objects)) == NULL)
        return _Hog_NoMemory();
    va_list list;
    va_start(list, count);
    for (ptrdiff_t i = 0; i < count; i++)
        objects[i] = va_arg(list, PyObject *);
    va_end(list);
    DONE(_Hog_TuplePack(objects, count));
}

/* As snprintf, but always terminated, and -1 or less for what the C library cannot do. */
int hog_c_PyOS_vsnprintf(char *text, size_t size, const char *format, va_list list)
{
    if (size == 0 || size > INT_MAX - 1) {
        if (size != 0)
            text[0] = 0;
        return -666;
    }
    int length = vsnprintf(text, size, format, list);
    text[size - 1] = 0;
    return length;
}

int hog_c_PyOS_snprintf(char *text, size_t size, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = hog_c_PyOS_vsnprintf(text, size, format, list);
    va_end(list);
    return length;
}

/* At most so many bytes are written by PySys_WriteStdout and its like. */
#define LONGEST 1000

static void write_stream(int is_error, const char *format, va_list list)
{
    char text[LONGEST + 1];
    int length = vsnprintf(text, sizeof text, format, list);
    int truncated = length < 0 || length > LONGEST;
    _Hog_WriteStream(is_error, text, truncated ? LONGEST : length, truncated);
}

void hog_c_PySys_WriteStdout(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    write_stream(0, format, list);
    va_end(list);
}

void hog_c_PySys_WriteStderr(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    write_stream(1, format, list);
    va_end(list);
}

void hog_c_PySys_FormatStdout(const char *format, ...)
{
    hog_va va;
    va_start(va.list, format);
    _Hog_FormatStream(0, format, &va);
    va_end(va.list);
}

void hog_c_PySys_FormatStderr(const char *format, ...)
{
    hog_va va;
    va_start(va.list, format);
    _Hog_FormatStream(1, format, &va);
    va_end(va.list);
}

void hog_c__Py_FatalErrorFormat(const char *function, const char *format, ...)
{
    extern void _Py_FatalErrorFunc(const char *, const char *);
    char text[LONGEST + 1];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    _Py_FatalErrorFunc(function, text);
}
