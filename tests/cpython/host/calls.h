/* The functions of `_testcapi` about calls, which are in a file of their own. */
#include <Python.h>

extern PyMethodDef call_methods[];
