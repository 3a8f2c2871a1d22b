/* The headers may be included twice, and leave nothing behind that disturbs. Also compiled as C++ and with
   Py_LIMITED_API. */
#include <Python.h>
#include <Python.h>
#include <hognose.h>
#include <marshal.h>
#include <structmember.h>
#include <frameobject.h>

int main(void)
{
    PyObject *object = Py_NewRef(Py_None);
    int same = Py_IsNone(object);
    Py_CLEAR(object);
    return Py_IsInitialized() || !same;
}
