import{a,b,c}from"./main-XHLS6PWW.js";import"./main-TUAN3F2P.js";import"./main-CNHY246I.js";import"./main-AOJWWLYR.js";import"./main-EB34DTAB.js";export{c as Counts,b as enter,a as levelsOf};
