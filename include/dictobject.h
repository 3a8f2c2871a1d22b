/* dict and mappingproxy. Keys that are C strings are UTF-8. */
#ifndef Py_DICTOBJECT_H
#define Py_DICTOBJECT_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

PyAPI_DATA(PyTypeObject) PyDict_Type;
PyAPI_DATA(PyTypeObject) PyDictKeys_Type;
PyAPI_DATA(PyTypeObject) PyDictValues_Type;
PyAPI_DATA(PyTypeObject) PyDictItems_Type;
PyAPI_DATA(PyTypeObject) PyDictProxy_Type;
PyAPI_DATA(PyTypeObject) PyDictIterKey_Type;
PyAPI_DATA(PyTypeObject) PyDictIterValue_Type;
PyAPI_DATA(PyTypeObject) PyDictIterItem_Type;
PyAPI_DATA(PyTypeObject) PyDictRevIterKey_Type;
PyAPI_DATA(PyTypeObject) PyDictRevIterValue_Type;
PyAPI_DATA(PyTypeObject) PyDictRevIterItem_Type;
#define PyDict_Check(op) PyType_FastSubclass(Py_TYPE(op), Py_TPFLAGS_DICT_SUBCLASS)
#define PyDict_CheckExact(op) Py_IS_TYPE((op), &PyDict_Type)
#define PyDictKeys_Check(op) PyObject_TypeCheck((op), &PyDictKeys_Type)
#define PyDictValues_Check(op) PyObject_TypeCheck((op), &PyDictValues_Type)
#define PyDictItems_Check(op) PyObject_TypeCheck((op), &PyDictItems_Type)

PyAPI_FUNC(PyObject *) PyDict_New(void);
/* The number of keys. */
PyAPI_FUNC(Py_ssize_t) PyDict_Size(PyObject *p);
/* The value of a key, borrowed; NULL without an exception when there is none, and when the look-up fails. */
PyAPI_FUNC(PyObject *) PyDict_GetItem(PyObject *p, PyObject *key);
PyAPI_FUNC(PyObject *) PyDict_GetItemString(PyObject *p, const char *key);
/* The same, but the failure of the look-up is an exception. */
PyAPI_FUNC(PyObject *) PyDict_GetItemWithError(PyObject *p, PyObject *key);
/* 1 and a new reference in *result, or 0 and NULL. Since 3.13. */
PyAPI_FUNC(int) PyDict_GetItemRef(PyObject *p, PyObject *key, PyObject **result);
PyAPI_FUNC(int) PyDict_GetItemStringRef(PyObject *p, const char *key, PyObject **result);
/* p[key] = value: references of its own. */
PyAPI_FUNC(int) PyDict_SetItem(PyObject *p, PyObject *key, PyObject *value);
PyAPI_FUNC(int) PyDict_SetItemString(PyObject *p, const char *key, PyObject *value);
/* del p[key]; KeyError. */
PyAPI_FUNC(int) PyDict_DelItem(PyObject *p, PyObject *key);
PyAPI_FUNC(int) PyDict_DelItemString(PyObject *p, const char *key);
/* Empties p; anything but a dict is left alone. Cannot fail. */
PyAPI_FUNC(void) PyDict_Clear(PyObject *p);
/* 1 and the next pair, borrowed, or 0; *pos is 0 at first. Only values may change meanwhile. Cannot fail. */
PyAPI_FUNC(int) PyDict_Next(PyObject *p, Py_ssize_t *pos, PyObject **key, PyObject **value);
/* Lists of the keys, values and pairs. */
PyAPI_FUNC(PyObject *) PyDict_Keys(PyObject *p);
PyAPI_FUNC(PyObject *) PyDict_Values(PyObject *p);
PyAPI_FUNC(PyObject *) PyDict_Items(PyObject *p);
/* p.copy(). */
PyAPI_FUNC(PyObject *) PyDict_Copy(PyObject *p);
/* 1 when the key is there, else 0. */
PyAPI_FUNC(int) PyDict_Contains(PyObject *p, PyObject *key);
/* Adds what a mapping has; over keys that are there always, or as override says. */
PyAPI_FUNC(int) PyDict_Update(PyObject *p, PyObject *other);
PyAPI_FUNC(int) PyDict_Merge(PyObject *p, PyObject *other, int override);
/* Adds the pairs that an iterable gives. */
PyAPI_FUNC(int) PyDict_MergeFromSeq2(PyObject *p, PyObject *pairs, int override);
/* A view of a mapping that cannot change it. */
PyAPI_FUNC(PyObject *) PyDictProxy_New(PyObject *mapping);

#ifndef Py_LIMITED_API
/* 1 when the key is there, else 0. Since 3.13. */
PyAPI_FUNC(int) PyDict_ContainsString(PyObject *p, const char *key);
/* p.setdefault(key, value), borrowed. */
PyAPI_FUNC(PyObject *) PyDict_SetDefault(PyObject *p, PyObject *key, PyObject *value);
/* The same as a new reference in *result, unless that is NULL; 1 when the key was there, else 0. Since 3.13. */
PyAPI_FUNC(int) PyDict_SetDefaultRef(PyObject *p, PyObject *key, PyObject *value, PyObject **result);
/* Takes a key out: 1 and its value in *result, unless that is NULL; or 0. Since 3.13. */
PyAPI_FUNC(int) PyDict_Pop(PyObject *p, PyObject *key, PyObject **result);
PyAPI_FUNC(int) PyDict_PopString(PyObject *p, const char *key, PyObject **result);
#define PyDict_GET_SIZE(op) PyDict_Size(_PyObject_CAST(op))
#endif

#ifdef __cplusplus
}
#endif
#endif
