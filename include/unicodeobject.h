/* str. */
#ifndef Py_UNICODEOBJECT_H
#define Py_UNICODEOBJECT_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef uint32_t Py_UCS4;
typedef uint16_t Py_UCS2;
typedef uint8_t Py_UCS1;

PyAPI_DATA(PyTypeObject) PyUnicode_Type;
PyAPI_DATA(PyTypeObject) PyUnicodeIter_Type;
#define PyUnicode_Check(op) PyType_FastSubclass(Py_TYPE(op), Py_TPFLAGS_UNICODE_SUBCLASS)
#define PyUnicode_CheckExact(op) Py_IS_TYPE((op), &PyUnicode_Type)
#define Py_UNICODE_REPLACEMENT_CHARACTER ((Py_UCS4)0xFFFD)

/* --- Making ------------------------------------------------------------------------------------------ */

/* The text of UTF-8 bytes: up to a NUL, or n of them. */
PyAPI_FUNC(PyObject *) PyUnicode_FromString(const char *text);
PyAPI_FUNC(PyObject *) PyUnicode_FromStringAndSize(const char *data, Py_ssize_t n);
/* The same, interned. */
PyAPI_FUNC(PyObject *) PyUnicode_InternFromString(const char *text);
/* Replaces *p by the interned string of its text; the reference moves. Cannot fail. */
PyAPI_FUNC(void) PyUnicode_InternInPlace(PyObject **p);
/* A str of exactly that type; TypeError for what is no str. */
PyAPI_FUNC(PyObject *) PyUnicode_FromObject(PyObject *o);
/* chr(ordinal). */
PyAPI_FUNC(PyObject *) PyUnicode_FromOrdinal(int ordinal);
/* The text of n wide characters, up to a NUL for -1. */
PyAPI_FUNC(PyObject *) PyUnicode_FromWideChar(const wchar_t *data, Py_ssize_t n);
/* A text with conversions: %c %d %i %u %x %X %o %p %s as in C, with l, ll, j, z, t; %ls; %A ascii(o), %U a str, %V a
   str or NULL and a C string, %S str(o), %R repr(o), %T the name of o's type, %N of a type (%#T, %#N with ':'). */
PyAPI_FUNC(PyObject *) PyUnicode_FromFormat(const char *format, ...);
PyAPI_FUNC(PyObject *) PyUnicode_FromFormatV(const char *format, va_list va);

/* --- Looking ----------------------------------------------------------------------------------------- */

/* The number of characters. */
PyAPI_FUNC(Py_ssize_t) PyUnicode_GetLength(PyObject *text);
/* A character; (Py_UCS4)-1 with IndexError. */
PyAPI_FUNC(Py_UCS4) PyUnicode_ReadChar(PyObject *text, Py_ssize_t index);
/* Overwrites a character of a string that nobody else has seen. */
PyAPI_FUNC(int) PyUnicode_WriteChar(PyObject *text, Py_ssize_t index, Py_UCS4 character);
/* text[start:end]. */
PyAPI_FUNC(PyObject *) PyUnicode_Substring(PyObject *text, Py_ssize_t start, Py_ssize_t end);
/* Changes the length of a string that nobody else has seen; *p may be replaced. */
PyAPI_FUNC(int) PyUnicode_Resize(PyObject **p, Py_ssize_t n);
/* UTF-8 with a NUL, and its length unless size is NULL; for as long as the object lives. Since 3.10 in the limited
   API; AsUTF8 3.13. */
PyAPI_FUNC(const char *) PyUnicode_AsUTF8AndSize(PyObject *text, Py_ssize_t *size);
PyAPI_FUNC(const char *) PyUnicode_AsUTF8(PyObject *text);
/* Copies at most n wide characters, with a NUL if it fits; how many, without it. */
PyAPI_FUNC(Py_ssize_t) PyUnicode_AsWideChar(PyObject *text, wchar_t *to, Py_ssize_t n);
/* A copy, freed with PyMem_Free; ValueError for a NUL inside when size is NULL. */
PyAPI_FUNC(wchar_t *) PyUnicode_AsWideCharString(PyObject *text, Py_ssize_t *size);
/* Copies of 4 bytes for a character: to memory of the caller's, or freed with PyMem_Free. */
PyAPI_FUNC(Py_UCS4 *) PyUnicode_AsUCS4(PyObject *text, Py_UCS4 *to, Py_ssize_t n, int with_nul);
PyAPI_FUNC(Py_UCS4 *) PyUnicode_AsUCS4Copy(PyObject *text);

/* --- Operations -------------------------------------------------------------------------------------- */

/* a + b. */
PyAPI_FUNC(PyObject *) PyUnicode_Concat(PyObject *a, PyObject *b);
/* Replaces *p by *p + right; by NULL on failure. AndDel takes the reference to right over. */
PyAPI_FUNC(void) PyUnicode_Append(PyObject **p, PyObject *right);
PyAPI_FUNC(void) PyUnicode_AppendAndDel(PyObject **p, PyObject *right);
/* The methods of the same names; NULL separators are white space; negative counts are no limit. */
PyAPI_FUNC(PyObject *) PyUnicode_Split(PyObject *text, PyObject *separator, Py_ssize_t max);
PyAPI_FUNC(PyObject *) PyUnicode_RSplit(PyObject *text, PyObject *separator, Py_ssize_t max);
PyAPI_FUNC(PyObject *) PyUnicode_Splitlines(PyObject *text, int keep_ends);
PyAPI_FUNC(PyObject *) PyUnicode_Partition(PyObject *text, PyObject *separator);
PyAPI_FUNC(PyObject *) PyUnicode_RPartition(PyObject *text, PyObject *separator);
PyAPI_FUNC(PyObject *) PyUnicode_Translate(PyObject *text, PyObject *table, const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_Join(PyObject *separator, PyObject *items);
PyAPI_FUNC(PyObject *) PyUnicode_Replace(PyObject *text, PyObject *old, PyObject *replacement, Py_ssize_t max);
/* Where a part or character is in text[start:end], from the left (1) or right (-1); -1 nowhere, -2 an exception. */
PyAPI_FUNC(Py_ssize_t) PyUnicode_Find(PyObject *text, PyObject *part, Py_ssize_t start, Py_ssize_t end, int direction);
PyAPI_FUNC(Py_ssize_t) PyUnicode_FindChar(PyObject *text, Py_UCS4 ch, Py_ssize_t start, Py_ssize_t end, int direction);
PyAPI_FUNC(Py_ssize_t) PyUnicode_Count(PyObject *text, PyObject *part, Py_ssize_t start, Py_ssize_t end);
/* 1 when text[start:end] begins (-1) or ends (1) with a part, else 0. */
PyAPI_FUNC(int) PyUnicode_Tailmatch(PyObject *text, PyObject *part, Py_ssize_t start, Py_ssize_t end, int direction);
/* 1 or 0. */
PyAPI_FUNC(int) PyUnicode_Contains(PyObject *text, PyObject *part);
PyAPI_FUNC(int) PyUnicode_IsIdentifier(PyObject *text);
/* -1, 0, 1. */
PyAPI_FUNC(int) PyUnicode_Compare(PyObject *a, PyObject *b);
/* With a C string in ASCII: cannot fail. */
PyAPI_FUNC(int) PyUnicode_CompareWithASCIIString(PyObject *a, const char *b);
/* 1 when the text is that of UTF-8 bytes, else 0. Cannot fail. Since 3.13. */
PyAPI_FUNC(int) PyUnicode_EqualToUTF8(PyObject *a, const char *b);
PyAPI_FUNC(int) PyUnicode_EqualToUTF8AndSize(PyObject *a, const char *b, Py_ssize_t n);
/* 1 or 0; TypeError. Since 3.14. */
PyAPI_FUNC(int) PyUnicode_Equal(PyObject *a, PyObject *b);
/* The object that a comparison gives; NotImplemented for what is no str. */
PyAPI_FUNC(PyObject *) PyUnicode_RichCompare(PyObject *a, PyObject *b, int op);
/* format % values. */
PyAPI_FUNC(PyObject *) PyUnicode_Format(PyObject *format, PyObject *values);

/* --- Codecs: UTF-8 and "strict" for NULL ------------------------------------------------------------- */

PyAPI_FUNC(PyObject *) PyUnicode_Decode(const char *data, Py_ssize_t n, const char *encoding, const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_FromEncodedObject(PyObject *o, const char *encoding, const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_AsEncodedString(PyObject *text, const char *encoding, const char *errors);
/* "utf-8". Cannot fail. */
PyAPI_FUNC(const char *) PyUnicode_GetDefaultEncoding(void);
PyAPI_FUNC(PyObject *) PyUnicode_BuildEncodingMap(PyObject *table);
/* One codec each. Stateful ones leave a character that is cut off, and tell how many bytes they have used. Orders are
   -1 for little endian, 1 for big, 0 for what a byte order mark or the machine says. */
PyAPI_FUNC(PyObject *) PyUnicode_DecodeUTF8(const char *data, Py_ssize_t n, const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeUTF8Stateful(const char *data, Py_ssize_t n, const char *errors, Py_ssize_t *consumed);
PyAPI_FUNC(PyObject *) PyUnicode_AsUTF8String(PyObject *text);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeUTF7(const char *data, Py_ssize_t n, const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeUTF16(const char *data, Py_ssize_t n, const char *errors, int *order);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeUTF16Stateful(const char *data, Py_ssize_t n, const char *errors, int *order, Py_ssize_t *consumed);
PyAPI_FUNC(PyObject *) PyUnicode_AsUTF16String(PyObject *text);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeUTF32(const char *data, Py_ssize_t n, const char *errors, int *order);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeUTF32Stateful(const char *data, Py_ssize_t n, const char *errors, int *order, Py_ssize_t *consumed);
PyAPI_FUNC(PyObject *) PyUnicode_AsUTF32String(PyObject *text);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeLatin1(const char *data, Py_ssize_t n, const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_AsLatin1String(PyObject *text);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeASCII(const char *data, Py_ssize_t n, const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_AsASCIIString(PyObject *text);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeUnicodeEscape(const char *data, Py_ssize_t n, const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_AsUnicodeEscapeString(PyObject *text);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeRawUnicodeEscape(const char *data, Py_ssize_t n, const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_AsRawUnicodeEscapeString(PyObject *text);
/* File names: bytes that are not UTF-8 become surrogates. */
PyAPI_FUNC(PyObject *) PyUnicode_DecodeFSDefault(const char *text);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeFSDefaultAndSize(const char *data, Py_ssize_t n);
PyAPI_FUNC(PyObject *) PyUnicode_EncodeFSDefault(PyObject *text);
/* Texts of the C library. */
PyAPI_FUNC(PyObject *) PyUnicode_DecodeLocale(const char *text, const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeLocaleAndSize(const char *data, Py_ssize_t n, const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_EncodeLocale(PyObject *text, const char *errors);
/* Converters for "O&": a path as bytes, as str. */
PyAPI_FUNC(int) PyUnicode_FSConverter(PyObject *o, void *place);
PyAPI_FUNC(int) PyUnicode_FSDecoder(PyObject *o, void *place);

#ifndef Py_LIMITED_API

/* --- The memory of a string -------------------------------------------------------------------------- */

/* The part that all strings begin with. */
typedef struct {
    PyObject ob_base;
    Py_ssize_t length;
    Py_hash_t hash;
    struct {
        unsigned int interned : 2;
        unsigned int kind : 3;
        unsigned int compact : 1;
        unsigned int ascii : 1;
        unsigned int statically_allocated : 1;
        unsigned int : 24;
    } state;
} PyASCIIObject;

enum PyUnicode_Kind {
    PyUnicode_1BYTE_KIND = 1,
    PyUnicode_2BYTE_KIND = 2,
    PyUnicode_4BYTE_KIND = 4
};
/* Unchecked, for str objects. */
#define PyUnicode_GET_LENGTH(op) (_Py_CAST(PyASCIIObject *, (op))->length)
#define PyUnicode_KIND(op) _Py_CAST(int, _Py_CAST(PyASCIIObject *, (op))->state.kind)
#define PyUnicode_IS_ASCII(op) _Py_CAST(unsigned int, _Py_CAST(PyASCIIObject *, (op))->state.ascii)
#define PyUnicode_IS_COMPACT(op) _Py_CAST(unsigned int, _Py_CAST(PyASCIIObject *, (op))->state.compact)
#define PyUnicode_IS_COMPACT_ASCII(op) (PyUnicode_IS_ASCII(op) && PyUnicode_IS_COMPACT(op))
#define PyUnicode_IS_READY(op) 1
#define PyUnicode_READY(op) 0
#define PyUnicode_CHECK_INTERNED(op) _Py_CAST(unsigned int, _Py_CAST(PyASCIIObject *, (op))->state.interned)
#define PyUnicode_DATA(op) _Hog_UnicodeData(_PyObject_CAST(op))
#define PyUnicode_1BYTE_DATA(op) _Py_CAST(Py_UCS1 *, PyUnicode_DATA(op))
#define PyUnicode_2BYTE_DATA(op) _Py_CAST(Py_UCS2 *, PyUnicode_DATA(op))
#define PyUnicode_4BYTE_DATA(op) _Py_CAST(Py_UCS4 *, PyUnicode_DATA(op))
#define PyUnicode_MAX_CHAR_VALUE(op) _Hog_UnicodeMaxChar(_PyObject_CAST(op))
PyAPI_FUNC(void *) _Hog_UnicodeData(PyObject *text);
PyAPI_FUNC(Py_UCS4) _Hog_UnicodeMaxChar(PyObject *text);
static inline Py_UCS4 _PyUnicode_READ(int kind, const void *data, Py_ssize_t index)
{
    if (kind == PyUnicode_1BYTE_KIND)
        return _Py_CAST(const Py_UCS1 *, data)[index];
    if (kind == PyUnicode_2BYTE_KIND)
        return _Py_CAST(const Py_UCS2 *, data)[index];
    return _Py_CAST(const Py_UCS4 *, data)[index];
}
static inline void _PyUnicode_WRITE(int kind, void *data, Py_ssize_t index, Py_UCS4 value)
{
    if (kind == PyUnicode_1BYTE_KIND)
        _Py_CAST(Py_UCS1 *, data)[index] = (Py_UCS1)value;
    else if (kind == PyUnicode_2BYTE_KIND)
        _Py_CAST(Py_UCS2 *, data)[index] = (Py_UCS2)value;
    else
        _Py_CAST(Py_UCS4 *, data)[index] = value;
}
#define PyUnicode_READ(kind, data, index) _PyUnicode_READ((kind), (data), (index))
#define PyUnicode_WRITE(kind, data, index, value) _PyUnicode_WRITE((kind), (data), (index), (value))
#define PyUnicode_READ_CHAR(op, index) _PyUnicode_READ(PyUnicode_KIND(op), PyUnicode_DATA(op), (index))

/* A string of zeros, to be filled with characters up to max_char before anybody else sees it. Since 3.3. */
PyAPI_FUNC(PyObject *) PyUnicode_New(Py_ssize_t n, Py_UCS4 max_char);
/* A copy of n units of 1, 2 or 4 bytes. */
PyAPI_FUNC(PyObject *) PyUnicode_FromKindAndData(int kind, const void *data, Py_ssize_t n);
/* Overwrite characters of a string that nobody else has seen; how many. */
PyAPI_FUNC(Py_ssize_t) PyUnicode_Fill(PyObject *text, Py_ssize_t start, Py_ssize_t n, Py_UCS4 character);
PyAPI_FUNC(Py_ssize_t) PyUnicode_CopyCharacters(PyObject *to, Py_ssize_t to_start, PyObject *from,
                                                Py_ssize_t from_start, Py_ssize_t n);
/* The name of old for InternInPlace. */
PyAPI_FUNC(void) PyUnicode_InternImmortal(PyObject **p);
#endif

#ifdef __cplusplus
}
#endif
#endif
