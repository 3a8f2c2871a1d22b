/* What is leaked is told as data: its domain, size and type, and where it was allocated. */
#include "check.h"

/* Keeps a reference that nobody gives back. */
static PyObject *leak(PyObject *self, PyObject *object)
{
    (void)self;
    Py_INCREF(object);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"leak", leak, METH_O, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef spam = {PyModuleDef_HEAD_INIT, "spam", NULL, -1, methods, NULL, NULL, NULL, NULL};

static PyObject *init_spam(void)
{
    return PyModule_Create(&spam);
}

int main(void)
{
    CHECK(PyImport_AppendInittab("spam", init_spam) == 0);

    /* Nothing is leaked: nothing is told. */
    begin();
    Hog_FinalizeReport report = {.size = sizeof report};
    CHECK(Hog_FinalizeEx(&report) == 0);
    CHECK(report.size == sizeof report && report.status == 0 && report.count == 0 && report.unlisted == 0);
    CHECK(report.live_blocks[0] == 0 && report.live_blocks[1] == 0 && report.live_blocks[2] == 0);
    CHECK(report.blocks == NULL);
    Hog_ClearFinalizeReport(&report);

    CHECK(PyImport_AppendInittab("spam", init_spam) == 0);
    begin();
    CHECK(PyRun_SimpleString("import tracemalloc\ntracemalloc.start()\n"
                             "import spam\n"
                             "def make():\n"
                             "    return float('1.5')\n"
                             "spam.leak(make())\n") == 0);
    report.size = sizeof report;
    CHECK(Hog_FinalizeEx(&report) == 0);
    CHECK(report.count >= 1 && report.live_blocks[2] >= 1 && report.live_bytes[2] >= sizeof(PyObject) + sizeof(double));
    int found = 0;
    for (size_t i = 0; i < report.count; i++) {
        Hog_LiveBlock *block = &report.blocks[i];
        if (block->type == NULL || strcmp(block->type, "float") != 0)
            continue;
        found++;
        CHECK(block->domain == PYMEM_DOMAIN_OBJ && block->size >= sizeof(PyObject) + sizeof(double));
        CHECK(block->module == NULL); /* It is no extension module's type. */
        CHECK(block->traceback != NULL && strstr(block->traceback, "File \"<string>\", line 5") != NULL);
    }
    CHECK(found == 1);
    Hog_ClearFinalizeReport(&report);
    CHECK(report.count == 0 && report.blocks == NULL);
    Hog_ClearFinalizeReport(NULL);
    CHECK(Hog_FinalizeEx(NULL) == 0);
    return 0;
}
