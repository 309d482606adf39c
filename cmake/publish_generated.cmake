# cmake -DFRESH=dir -DGEN=dir -DNAMES=a;b -P publish_generated.cmake
# Copies what mlp-stdlib-gen wrote and what differs, so that only what changed is compiled again; a
# file that it did not write is published empty.
foreach(name IN LISTS NAMES)
  if(NOT EXISTS ${FRESH}/${name})
    file(WRITE ${FRESH}/${name} "")
  endif()
  file(COPY_FILE ${FRESH}/${name} ${GEN}/${name} ONLY_IF_DIFFERENT)
endforeach()
