"""The names in the modules of Dify's SDK that models import from, as data; a test holds it to it.

Source: ``dify_plugin`` 0.9.0 to 0.10.2, which differ in a handful of names.
"""

from __future__ import annotations

from collections.abc import Mapping

from packaging.version import Version

NEWEST = Version("0.10.2")
"""The newest version that this was read from."""

_TOP_LEVEL = """
    _gevent cli commands config core entities errors file integration interfaces invocations
    plugin protocol tool
"""
TOP_LEVEL = frozenset(_TOP_LEVEL.split())
"""What is directly below ``dify_plugin``."""

_NAMES = """
dify_plugin:
    AgentProvider AgentStrategy DifyPluginEnv Endpoint File LargeLanguageModel ModelProvider
    ModerationModel OAICompatEmbeddingModel OAICompatLargeLanguageModel OAICompatProvider
    OAICompatRerankModel OAICompatSpeech2TextModel OAICompatText2SpeechModel Plugin RerankModel
    Speech2TextModel TTSModel TextEmbeddingModel Tool ToolProvider commands config core entities
    errors file get_current_session integration interfaces invocations plugin protocol tool
dify_plugin.entities:
    BaseModel Field I18nObject ParameterAutoGenerate ParameterOption ParameterTemplate StrEnum
    agent datasource datasource_manifest docs endpoint field_validator invoke_message model
    oauth parameters provider_config tool trigger
dify_plugin.errors.model:
    CredentialsValidateFailedError InvokeAuthorizationError InvokeBadRequestError
    InvokeConnectionError InvokeError InvokeRateLimitError InvokeServerUnavailableError
dify_plugin.entities.model:
    AIModelEntity Any BaseModel BaseModelConfig ConfigDict Decimal DefaultParameterName
    EmbeddingInputType Enum FetchFrom Field I18nObject ModelFeature ModelPropertyKey ModelType
    ModelUsage PARAMETER_RULE_TEMPLATE ParameterRule ParameterType PriceConfig PriceInfo
    PriceType ProviderModel docs llm message model_validator moderation provider rerank schema
    speech2text text_embedding tts
dify_plugin.entities.model.llm:
    AssistantPromptMessage BaseModel BaseModelConfig ConfigDict Decimal Enum Field JsonValue
    LLMMode LLMModelConfig LLMPollingResult LLMPollingStatus LLMResult LLMResultChunk
    LLMResultChunkDelta LLMResultChunkWithStructuredOutput LLMResultWithStructuredOutput
    LLMStructuredOutput LLMUsage Mapping ModelType ModelUsage NumTokensResult PositiveInt
    PriceInfo PromptMessage StrEnum SummaryResult field_validator model_validator
dify_plugin.entities.model.message:
    Annotated AssistantPromptMessage AudioPromptMessageContent BaseModel BeforeValidator
    DeveloperPromptMessage DocumentPromptMessageContent Enum Field ImagePromptMessageContent
    JsonValue Literal Mapping MultiModalPromptMessageContent PROMPT_MESSAGE_TYPES_BY_ROLE
    PromptMessage PromptMessageContent PromptMessageContentType PromptMessageContentUnionTypes
    PromptMessageFunction PromptMessageRole PromptMessageTool Sequence StrEnum
    SystemPromptMessage TextPromptMessageContent ToolPromptMessage UserPromptMessage
    VideoPromptMessageContent annotations ensure_prompt_message field_validator
dify_plugin.entities.model.moderation:
    BaseModel BaseModelConfig ConfigDict ModelType ModerationModelConfig ModerationResult
dify_plugin.entities.model.provider:
    AIModelEntity BaseModel ConfigDict ConfigurateMethod CredentialFormSchema Enum Field
    FieldModelSchema FormOption FormShowOnObject FormType I18nObject ModelCredentialSchema
    ModelPosition ModelProviderConfiguration ModelProviderConfigurationExtra ModelType
    ProviderCredentialSchema ProviderEntity ProviderHelpEntity Sequence SimpleProviderEntity
    docs load_yaml_file model_validator pathlib
dify_plugin.entities.model.rerank:
    BaseModel BaseModelConfig ConfigDict Field ModelType MultiModalRerankModelConfig
    MultiModalRerankResult RerankDocument RerankModelConfig RerankResult
dify_plugin.entities.model.schema:
    AIModelEntity Any BaseModel BaseModelConfig ConfigDict Decimal DefaultParameterName
    EmbeddingInputType Enum FetchFrom Field I18nObject ModelFeature ModelPropertyKey ModelType
    ModelUsage PARAMETER_RULE_TEMPLATE ParameterRule ParameterType PriceConfig PriceInfo
    PriceType ProviderModel docs model_validator suppress
dify_plugin.entities.model.speech2text:
    BaseModel BaseModelConfig ConfigDict ModelType Speech2TextModelConfig Speech2TextResult
dify_plugin.entities.model.text_embedding:
    BaseModel BaseModelConfig ConfigDict Decimal EmbeddingUsage Field ModelType ModelUsage
    MultiModalContent MultiModalContentType MultiModalEmbeddingModelConfig
    MultiModalEmbeddingResult StrEnum TextEmbeddingModelConfig TextEmbeddingResult
dify_plugin.entities.model.tts:
    BaseModel BaseModelConfig ConfigDict ModelType TTSModelConfig TTSResult
dify_plugin.interfaces.model:
    ABC AIModel AIModelEntity ModelFactory ModelProvider ModelType ProviderEntity abstractmethod
    ai_model final large_language_model moderation_model openai_compatible provider rerank_model
    speech2text_model text_embedding_model tts_model
dify_plugin.interfaces.model.ai_model:
    ABC AIModel AIModelEntity ConfigDict DefaultParameterName Generator I18nObject
    InvokeAuthorizationError InvokeError Mapping ModelType PARAMETER_RULE_TEMPLATE PriceConfig
    PriceInfo PriceType TOKEN_ESTIMATION_TEXT_LIMIT TimingContextRaceConditionError
    abstractmethod contextmanager decimal final gevent socket suppress threadpool time
dify_plugin.interfaces.model.large_language_model:
    AIModel AssistantPromptMessage CODE_FENCE_BACKTICK_COUNT ConfigDict Generator JsonValue
    LLMMode LLMPollingResult LLMResult LLMResultChunk LLMResultChunkDelta LLMUsage
    LargeLanguageModel Literal Mapping ModelFeature ModelPropertyKey ModelType ParameterRule
    ParameterType PriceType PromptMessage PromptMessageContentType PromptMessageTool
    STRUCTURED_RESPONSE_FORMATS SystemPromptMessage UserPromptMessage abstractmethod inspect
    logger logging re time
dify_plugin.interfaces.model.moderation_model:
    AIModel ConfigDict ModelType ModerationModel abstractmethod
dify_plugin.interfaces.model.provider:
    ABC AIModel AIModelEntity ModelFactory ModelProvider ModelType ProviderEntity abstractmethod
    final
dify_plugin.interfaces.model.rerank_model:
    AIModel ModelType MultiModalContent MultiModalRerankResult RerankModel RerankResult Sequence
    abstractmethod
dify_plugin.interfaces.model.speech2text_model:
    AIModel ConfigDict IO ModelType Speech2TextModel abstractmethod pathlib
dify_plugin.interfaces.model.text_embedding_model:
    AIModel ConfigDict EmbeddingInputType ModelPropertyKey ModelType MultiModalContent
    MultiModalEmbeddingResult TextEmbeddingModel TextEmbeddingResult abstractmethod
dify_plugin.interfaces.model.tts_model:
    AIModel ConfigDict EMPTY_STRING Generator ModelPropertyKey ModelType TTSModel abstractmethod
    hashlib logger logging re uuid
"""


def _read(text: str) -> Mapping[str, frozenset[str]]:
    """Read a line for each module, with its names in the indented lines below."""
    names: dict[str, frozenset[str]] = {}
    module = ""
    for line in text.strip().splitlines():
        if line.startswith(" "):
            names[module] |= frozenset(line.split())
        else:
            module = line.removesuffix(":")
            names[module] = frozenset()
    return names


NAMES = _read(_NAMES)
"""What can be imported from each of these modules, besides the modules below it."""
