# Run on a generated ${DIR}/${NAME}.{h,cpp}: ANTLR 4.7 fills its tables when the library
# is loaded, which costs every start milliseconds. Let the first lexer or parser do it, and
# without checking them, which is as slow again: they come from the tool of this very build.
foreach(extension h cpp)
  set(file ${DIR}/${NAME}.${extension})
  file(READ ${file} before)
  if(extension STREQUAL "h")
    string(REPLACE "static Initializer _init;" "" after "${before}")
  else()
    string(REPLACE "${NAME}::Initializer ${NAME}::_init;" "" after "${before}")
    string(REGEX REPLACE "(${NAME}::${NAME}\\([^)]*\\) : [^{]*{)"
      "\\1\n  static const Initializer tables;" after "${after}")
    if(NOT after MATCHES "static const Initializer tables;")
      message(FATAL_ERROR "${file}: no constructor found; did the ANTLR tool change?")
    endif()
  endif()
  if(extension STREQUAL "cpp")
    string(REPLACE "atn::ATNDeserializer deserializer;"
      "atn::ATNDeserializationOptions options;\n  options.setVerifyATN(false);\n  atn::ATNDeserializer deserializer(options);" checked "${after}")
    if(checked STREQUAL after)
      message(FATAL_ERROR "${file}: no deserializer found; did the ANTLR tool change?")
    endif()
    set(after "${checked}")
  endif()
  if(after STREQUAL before)
    message(FATAL_ERROR "${file}: no static initialiser found; did the ANTLR tool change?")
  endif()
  file(WRITE ${file} "${after}")
endforeach()
