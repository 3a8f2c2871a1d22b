/* The functions of `_testcapi` about calls and about monitoring, which are in files of their own. */
#include <Python.h>

extern PyMethodDef call_methods[];
extern PyMethodDef monitoring_methods[];
