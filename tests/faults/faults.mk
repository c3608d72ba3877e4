# tests/faults/faults.mk: a disk that fails. Included by Makefile.in; builds
# into faults/. It stands before the C library, so it takes no flag that would
# make a function of that library something else.

faults/io.so: $(srcdir)/tests/faults/io.c
	@mkdir -p $(@D)
	$(call say,SO )$(CC) -std=gnu11 -O1 -fPIC -Wall -Wextra $(werror_flag) \
	  -D_GNU_SOURCE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=0 -shared \
	  -Wl,-z,noexecstack $< -o $@

check_needs += faults/io.so
clean_files += faults
