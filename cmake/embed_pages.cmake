# cmake -DOUT=pages.cpp -DFOLDER=docs/diagnostics -P embed_pages.cmake
# Writes the pages as raw strings for `mlpc explain`.
file(GLOB files ${FOLDER}/*.md)
list(SORT files)
set(text "#include \"cli/pages.h\"\n\nnamespace mlp::cli {\n\nnamespace {\nconstexpr Page kPages[] = {\n")
foreach(file IN LISTS files)
  get_filename_component(code ${file} NAME_WE)
  file(READ ${file} page)
  string(APPEND text "    {\"${code}\", R\"__page__(${page})__page__\"},\n")
endforeach()
string(APPEND text "    {{}, {}},\n};\n}  // namespace\n\nstd::span<const Page> pages() { return {kPages, std::size(kPages) - 1}; }\n\n}  // namespace mlp::cli\n")
file(WRITE ${OUT} "${text}")
