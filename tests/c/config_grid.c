/* Prints what PyConfig_Read makes of the environment and the arguments: `config_grid KIND [ARGUMENT ...]`, KIND being
   python or isolated. Compiles against CPython 3.13 too, which it is compared with (tests/config_grid.py). */
#include <Python.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

static void text(const wchar_t *text)
{
    if (text == NULL) {
        printf("NULL");
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text >= 32 && *text < 127 && *text != '"' && *text != '\\')
            putchar((int)*text);
        else
            printf("\\u%04x", (unsigned)*text);
    }
    putchar('"');
}

static void list(const char *name, const PyWideStringList *list)
{
    printf("%s=[", name);
    for (Py_ssize_t i = 0; i < list->length; i++) {
        printf("%s", i ? ", " : "");
        text(list->items[i]);
    }
    printf("]\n");
}

#define NUMBER(field) printf(#field "=%ld\n", (long)config.field)
#define TEXT(field) (printf(#field "="), text(config.field), printf("\n"))
#define LIST(field) list(#field, &config.field)

int main(int argc, char **argv)
{
    PyConfig config;
    if (argc < 2)
        return 2;
    if (strcmp(argv[1], "isolated") == 0)
        PyConfig_InitIsolatedConfig(&config);
    else
        PyConfig_InitPythonConfig(&config);
    argv[1] = argv[0];
    PyStatus status = PyConfig_SetBytesArgv(&config, argc - 1, argv + 1);
    if (!PyStatus_Exception(status))
        status = PyConfig_Read(&config);
    if (PyStatus_IsExit(status)) {
        printf("exit=%d\n", status.exitcode);
        return 0;
    }
    if (PyStatus_Exception(status)) {
        printf("error=%s: %s\n", status.func ? status.func : "-", status.err_msg);
        return 0;
    }
    NUMBER(isolated), NUMBER(use_environment), NUMBER(dev_mode), NUMBER(install_signal_handlers);
    NUMBER(use_hash_seed), NUMBER(hash_seed), NUMBER(faulthandler), NUMBER(tracemalloc), NUMBER(perf_profiling);
    NUMBER(import_time), NUMBER(code_debug_ranges), NUMBER(show_ref_count), NUMBER(dump_refs), NUMBER(malloc_stats);
    TEXT(dump_refs_file), TEXT(filesystem_encoding), TEXT(filesystem_errors), TEXT(pycache_prefix);
    NUMBER(parse_argv), LIST(orig_argv), LIST(argv), LIST(xoptions), LIST(warnoptions);
    NUMBER(site_import), NUMBER(bytes_warning), NUMBER(warn_default_encoding), NUMBER(inspect), NUMBER(interactive);
    NUMBER(optimization_level), NUMBER(parser_debug), NUMBER(write_bytecode), NUMBER(verbose), NUMBER(quiet);
    NUMBER(user_site_directory), NUMBER(configure_c_stdio), NUMBER(buffered_stdio);
    TEXT(stdio_encoding), TEXT(stdio_errors), TEXT(check_hash_pycs_mode);
    NUMBER(use_frozen_modules), NUMBER(safe_path), NUMBER(int_max_str_digits), NUMBER(cpu_count);
    NUMBER(pathconfig_warnings), TEXT(program_name), TEXT(pythonpath_env), TEXT(home), TEXT(platlibdir);
    NUMBER(module_search_paths_set), LIST(module_search_paths);
    TEXT(stdlib_dir), TEXT(executable), TEXT(base_executable), TEXT(prefix), TEXT(base_prefix), TEXT(exec_prefix);
    TEXT(base_exec_prefix), NUMBER(skip_source_first_line), TEXT(run_command), TEXT(run_module), TEXT(run_filename);
    PyConfig_Clear(&config);
    return 0;
}
