/* Leaves objects alive on purpose: the report at the end names the class of one and the type of the other. */
#include "check.h"

/* Without an argument a few blocks are left, with one the class has a method, through which all globals are. */
int main(int argc, char **argv)
{
    (void)argv;
    begin();
    CHECK(PyRun_SimpleString(argc > 1 ? "class Leaky:\n"
                                        "    def method(self): pass\n"
                                      : "class Leaky: pass\n") == 0);
    CHECK(PyRun_SimpleString("class Meta(type): pass\n"
                             "class WithMeta(metaclass=Meta): __slots__ = ('a',)\n"
                             "leaky, with_meta = Leaky(), WithMeta()\n"
                             "leaky.text = str(leaky)\n") == 0);
    /* The new references are what leaks. */
    PyObject *main_module = PyImport_AddModule("__main__");
    CHECK(PyObject_GetAttrString(main_module, "leaky") != NULL);
    CHECK(PyObject_GetAttrString(main_module, "with_meta") != NULL);
    CHECK(PyList_New(3) != NULL);
    size_t blocks[3];
    Hog_ReportLiveBlocks(1);
    CHECK(Py_FinalizeEx() == 0);
    CHECK(Hog_LiveBlocks(blocks) == 0 && blocks[2] > 0);
    return 0;
}
