# Lexer and parser out of grammar/*.g4, at build time.

# mlp_grammar_sources(OUT) sets OUT to the generated .cpp files, or to nothing while
# there is no grammar. They live in ${build}/gen/grammar, namespace mlp::grammar, and are
# included as "gen/grammar/MlpParser.h".
function(mlp_grammar_sources out)
  set(${out} "" PARENT_SCOPE)
  set(grammar ${CMAKE_SOURCE_DIR}/grammar)
  file(GLOB found CONFIGURE_DEPENDS ${grammar}/MlpLexer.g4 ${grammar}/MlpParser.g4)
  list(LENGTH found count)
  if(count LESS 2)
    return()
  endif()
  set(dir ${CMAKE_BINARY_DIR}/gen/grammar)
  file(MAKE_DIRECTORY ${dir})
  set(tool ${MLP_ANTLR_TOOL} -Dlanguage=Cpp -no-listener -no-visitor -Werror
    -package mlp::grammar -o ${dir} -lib ${dir})
  set(script ${CMAKE_SOURCE_DIR}/cmake/make_tables_lazy.cmake)
  # Run inside grammar/: the tool otherwise repeats the path of the input below -o.
  add_custom_command(
    OUTPUT ${dir}/MlpLexer.cpp ${dir}/MlpLexer.h ${dir}/MlpLexer.tokens
    COMMAND ${tool} MlpLexer.g4
    COMMAND ${CMAKE_COMMAND} -DNAME=MlpLexer -DDIR=${dir} -P ${script}
    WORKING_DIRECTORY ${grammar} DEPENDS ${grammar}/MlpLexer.g4 ${script}
    COMMENT "Generating the lexer" VERBATIM)
  add_custom_command(
    OUTPUT ${dir}/MlpParser.cpp ${dir}/MlpParser.h
    COMMAND ${tool} MlpParser.g4
    COMMAND ${CMAKE_COMMAND} -DNAME=MlpParser -DDIR=${dir} -P ${script}
    WORKING_DIRECTORY ${grammar} DEPENDS ${grammar}/MlpParser.g4 ${dir}/MlpLexer.tokens ${script}
    COMMENT "Generating the parser" VERBATIM)
  add_library(mlp_grammar OBJECT ${dir}/MlpParser.cpp)
  # Of the lexer mlpc uses the numbers of the tokens alone (compiler/syntax/scan.cpp); a test runs it.
  add_library(mlp_grammar_lexer OBJECT EXCLUDE_FROM_ALL ${dir}/MlpLexer.cpp)
  foreach(part mlp_grammar mlp_grammar_lexer)
    # The tool writes u8"…" into std::string.
    target_compile_options(${part} PRIVATE -w -fno-char8_t)
    target_link_libraries(${part} PRIVATE ext::antlr)
  endforeach()
  mlp_link_with_room(compiler/syntax mlp_grammar)
  set(${out} ${dir}/MlpLexer.h ${dir}/MlpParser.h PARENT_SCOPE)
endfunction()
