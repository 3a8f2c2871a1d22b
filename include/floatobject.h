/* float. */
#ifndef Py_FLOATOBJECT_H
#define Py_FLOATOBJECT_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

PyAPI_DATA(PyTypeObject) PyFloat_Type;
#define PyFloat_Check(op) PyObject_TypeCheck((op), &PyFloat_Type)
#define PyFloat_CheckExact(op) Py_IS_TYPE((op), &PyFloat_Type)
#define Py_RETURN_NAN return PyFloat_FromDouble(Py_NAN)

PyAPI_FUNC(PyObject *) PyFloat_FromDouble(double v);
/* The float that a str or bytes says. */
PyAPI_FUNC(PyObject *) PyFloat_FromString(PyObject *text);
/* The value of a float, or of what __float__ or __index__ gives. -1.0 is a value, too: ask PyErr_Occurred. */
PyAPI_FUNC(double) PyFloat_AsDouble(PyObject *o);
/* The largest and the smallest normal positive value. No thread state is needed. Cannot fail. */
PyAPI_FUNC(double) PyFloat_GetMax(void);
PyAPI_FUNC(double) PyFloat_GetMin(void);
/* sys.float_info. */
PyAPI_FUNC(PyObject *) PyFloat_GetInfo(void);

#ifndef Py_LIMITED_API
typedef struct {
    PyObject ob_base;
    double ob_fval;
} PyFloatObject;
/* The value of a float, unchecked. */
static inline double _PyFloat_AS_DOUBLE(PyObject *op) { return ((PyFloatObject *)op)->ob_fval; }
#define PyFloat_AS_DOUBLE(op) _PyFloat_AS_DOUBLE(_PyObject_CAST(op))
/* Write and read IEEE 754 numbers; le is 1 for the low byte first. Since 3.11. */
PyAPI_FUNC(int) PyFloat_Pack4(double x, char *p, int le);
PyAPI_FUNC(int) PyFloat_Pack8(double x, char *p, int le);
PyAPI_FUNC(double) PyFloat_Unpack4(const char *p, int le);
PyAPI_FUNC(double) PyFloat_Unpack8(const char *p, int le);
#endif

#ifdef __cplusplus
}
#endif
#endif
