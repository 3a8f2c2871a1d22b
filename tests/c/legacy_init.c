/* What programs of old set before initialization, and read after it; calls at the end. */
#include "check.h"
#include <wchar.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static int order[4];
static int calls;

static void note(void *data)
{
    CHECK(PyThreadState_Get() != NULL);
    order[calls++] = *(int *)data;
}

static void nothing_is_told(void)
{
    CHECK(Py_GetPath() == NULL);
    CHECK(Py_FileSystemDefaultEncoding == NULL);
    CHECK(Py_FileSystemDefaultEncodeErrors == NULL);
    CHECK(Py_HasFileSystemDefaultEncoding == 0);
}

int main(void)
{
    static int numbers[] = {1, 2, 3};
    nothing_is_told();
    PySys_ResetWarnOptions();
    wchar_t path[] = L"/one:/two";
    Py_SetPath(path);
    path[1] = L'x';
    CHECK(Py_SetStandardStreamEncoding("latin-1", "replace") == 0);
    begin();
    CHECK(wcscmp(Py_GetPath(), L"/one:/two") == 0);
    CHECK(Py_FileSystemDefaultEncoding != NULL && Py_FileSystemDefaultEncodeErrors != NULL);
    CHECK(Py_SetStandardStreamEncoding("utf-8", NULL) == -1);
    CHECK(PyRun_SimpleString("import sys\n"
                             "assert sys.path == ['/one', '/two'], sys.path\n"
                             "assert sys.prefix == sys.exec_prefix == '', sys.prefix\n"
                             "assert (sys.stdout.encoding, sys.stdout.errors) == ('iso8859-1', 'replace'), sys.stdout\n"
                             "assert sys.stderr.errors == 'backslashreplace'\n"
                             "sys.warnoptions.append('error')\n") == 0);
    PySys_ResetWarnOptions();
    CHECK(PyRun_SimpleString("assert sys.warnoptions == []\n") == 0);
    PyObject *stats = PyEval_GetCallStats(NULL);
    CHECK(stats == Py_None);
    Py_DECREF(stats);
    for (int i = 0; i < 3; i++)
        CHECK(PyUnstable_AtExit(PyInterpreterState_Get(), note, &numbers[i]) == 0);
    CHECK(calls == 0);
    CHECK(end() == 0);
    CHECK(calls == 3 && order[0] == 1 && order[1] == 2 && order[2] == 3);
    nothing_is_told();

    /* The next life knows nothing of it. */
    begin();
    CHECK(wcscmp(Py_GetPath(), L"/one:/two") != 0);
    CHECK(PyRun_SimpleString("import sys\nassert '/one' not in sys.path\n") == 0);
    CHECK(end() == 0);
    CHECK(calls == 3);
    return 0;
}
