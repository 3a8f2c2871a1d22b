/* complex. */
#ifndef Py_COMPLEXOBJECT_H
#define Py_COMPLEXOBJECT_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

PyAPI_DATA(PyTypeObject) PyComplex_Type;
#define PyComplex_Check(op) PyObject_TypeCheck((op), &PyComplex_Type)
#define PyComplex_CheckExact(op) Py_IS_TYPE((op), &PyComplex_Type)

PyAPI_FUNC(PyObject *) PyComplex_FromDoubles(double real, double imag);
/* The parts of a complex number, or of what __complex__, __float__ or __index__ gives. */
PyAPI_FUNC(double) PyComplex_RealAsDouble(PyObject *o);
PyAPI_FUNC(double) PyComplex_ImagAsDouble(PyObject *o);

#ifndef Py_LIMITED_API
typedef struct {
    double real;
    double imag;
} Py_complex;
typedef struct {
    PyObject ob_base;
    Py_complex cval;
} PyComplexObject;
PyAPI_FUNC(PyObject *) PyComplex_FromCComplex(Py_complex value);
/* Both parts; real is -1.0 with an exception. */
PyAPI_FUNC(Py_complex) PyComplex_AsCComplex(PyObject *o);
#endif

#ifdef __cplusplus
}
#endif
#endif
